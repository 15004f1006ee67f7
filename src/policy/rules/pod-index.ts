import type { Labels } from '../../labels.js';
import { type PodPeer, type Selector, selects } from '../objects/index.js';
import { namespaceLabels, type Pod, type Snapshot } from './model.js';

/** The pods of a namespace. */
interface Members {
  readonly labels: Labels;
  readonly pods: Pod[];
  /** By one of their labels, as `key=value`. */
  readonly byLabel: Map<string, Pod[]>;
}

/** Finds pods by selectors: only those that have a label which the selector wants are looked at, and no selector is worked out twice. */
export class PodIndex {
  readonly #namespaces = new Map<string, Members>();
  readonly #found = new Map<string, readonly Pod[]>();

  constructor({ pods, namespaces }: Pick<Snapshot, 'pods' | 'namespaces'>) {
    for (const pod of pods) {
      const members = this.#members(pod.namespace, namespaces);
      members.pods.push(pod);
      for (const [key, value] of Object.entries(pod.labels)) append(members.byLabel, `${key}=${value}`, pod);
    }
  }

  /** Pods of one namespace. */
  inNamespace(namespace: string, selector: Selector): readonly Pod[] {
    const members = this.#namespaces.get(namespace);
    if (members === undefined) return [];
    return this.#once(`${namespace} ${JSON.stringify(selector)}`, () => selected(members, selector));
  }

  /** Pods that a peer of a policy in this namespace means. */
  ofPeer({ namespaces, pods }: PodPeer, home: string): readonly Pod[] {
    if (namespaces === undefined) return this.inNamespace(home, pods);
    return this.#once(peerKey({ kind: 'pods', namespaces, pods }, home), () =>
      [...this.#namespaces.values()].flatMap((members) =>
        selects(namespaces, members.labels) ? selected(members, pods) : [],
      ),
    );
  }

  #once(key: string, find: () => readonly Pod[]): readonly Pod[] {
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const found = find();
    this.#found.set(key, found);
    return found;
  }

  #members(name: string, namespaces: Snapshot['namespaces']): Members {
    const known = this.#namespaces.get(name);
    if (known !== undefined) return known;
    const members = { labels: namespaceLabels(namespaces, name), pods: [], byLabel: new Map() };
    this.#namespaces.set(name, members);
    return members;
  }
}

/** The same for peers that mean the same pods. */
export function peerKey({ namespaces, pods }: PodPeer, home: string): string {
  return JSON.stringify([namespaces ?? home, pods]);
}

function selected({ pods, byLabel }: Members, selector: Selector): readonly Pod[] {
  const candidates = selector.flatMap(({ operator, key, values }) =>
    operator === 'In' && values.length === 1 ? [byLabel.get(`${key}=${values[0]}`) ?? []] : [],
  );
  const fewest = candidates.reduce((least, each) => (each.length < least.length ? each : least), pods);
  return fewest.filter(({ labels }) => selects(selector, labels));
}

/** Adds to one of many lists. */
export function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

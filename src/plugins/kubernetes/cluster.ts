import { type Api, Mirror, type MirrorStatus, type Pause, type Resource } from '../../kubernetes/index.js';
import type { Labels } from '../../labels.js';
import { allEnded } from '../../order.js';
import type { ClusterMemory } from './memory.js';
import { type ClusterPolicy, NETWORK_POLICIES } from './network-policies.js';
import { type ClusterNode, NODES } from './nodes.js';
import { type ClusterPod, NAMESPACES, PODS } from './pods.js';

/** Of faults of objects so many are told one by one. */
const MOST_TOLD = 5;

export interface ClusterOptions {
  readonly api: Api;
  readonly pause: Pause;
  readonly random: () => number;
  /** Unix time in milliseconds. */
  readonly time: () => number;
  readonly onNodes: () => void;
  /** Policies, or what they are about, are not what they were. */
  readonly onRules: () => void;
  /** The server answers no more (the reason), or does again (undefined). Once for each outage. */
  readonly onTurn: (error: string | undefined) => void;
}

/** What the API server has of all that matters here, as far as is known. */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly nodes: Mirror<ClusterNode>;
  readonly #pods: Mirror<ClusterPod>;
  readonly #namespaces: Mirror<Labels>;
  readonly #policies: Mirror<ClusterPolicy>;
  #isAway = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { onNodes, onRules } = options;
    this.nodes = this.#mirror(NODES, onNodes);
    this.#pods = this.#mirror(PODS, onRules);
    this.#namespaces = this.#mirror(NAMESPACES, onRules);
    this.#policies = this.#mirror(NETWORK_POLICIES, onRules);
  }

  /** What an earlier run knew holds until the server says otherwise. */
  restore({ policies, namespaces, pods }: ClusterMemory): void {
    this.#namespaces.restore(Object.entries(namespaces));
    this.#pods.restore(pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod]));
    this.#policies.restoreObjects(policies);
  }

  memory(): Omit<ClusterMemory, 'routers'> {
    return {
      policies: this.policies.map(({ object }) => object),
      namespaces: Object.fromEntries(this.#namespaces.objects),
      pods: [...this.#pods.objects.values()],
    };
  }

  /** Follows everything, until the signal comes. */
  async run(signal: AbortSignal): Promise<void> {
    await allEnded(this.#all.map((mirror) => mirror.run(signal)));
  }

  /** In the order of their names, which is the same whatever came first. */
  get policies(): readonly ClusterPolicy[] {
    return [...this.#policies.objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, policy]) => policy);
  }

  get namespaces(): ReadonlyMap<string, Labels> {
    return this.#namespaces.objects;
  }

  get pods(): ReadonlyMap<string, ClusterPod> {
    return this.#pods.objects;
  }

  /** Resolves once it is known what policies there are, and what they are about. */
  async known(): Promise<void> {
    await Promise.all([this.#policies.known, this.#namespaces.known, this.#pods.known]);
  }

  /** What the server has of one pod, got before its turn. */
  learnPod(object: unknown): void {
    this.#pods.learn(object);
  }

  /** Of the whole server: the worst of all. */
  status(): MirrorStatus {
    const all = this.#all.map(({ status }) => status);
    const worst = (['failing', 'waiting', 'working'] as const).find((state) =>
      all.some((each) => each.state === state),
    );
    const [one] = all.filter(({ state }) => state === worst).sort((a, b) => a.since - b.since);
    const listed = all.map(({ listedAt }) => listedAt);
    const times = listed.filter((at) => at !== null);
    const listedAt = times.length < listed.length ? null : Math.max(...times);
    return { state: worst ?? 'waiting', since: one?.since ?? 0, error: one?.error ?? null, listedAt };
  }

  /** Objects that are not understood, or for which there was no room, in sentences. */
  faults(): string[] {
    const broken = this.#all.flatMap(({ faults }) => [...faults].map(([key, why]) => `${key}: ${why}`));
    const flawed = this.policies.flatMap(({ policy: { namespace, name }, flaw }) =>
      flaw === undefined
        ? []
        : [`the network policy ${namespace}/${name} denies all that it selects: ${flaw}`],
    );
    const all = [...flawed, ...broken];
    const told = all.slice(0, MOST_TOLD);
    const more =
      all.length > told.length ? [`${all.length - told.length} more objects are not understood`] : [];
    const full = this.#all.every(({ isWhole }) => isWhole)
      ? []
      : ['the cluster has more objects than are kept'];
    return [...told, ...more, ...full];
  }

  get #all(): readonly Mirror<unknown>[] {
    return [this.nodes, this.#pods, this.#namespaces, this.#policies];
  }

  #mirror<T>(resource: Resource<T>, onChange: () => void): Mirror<T> {
    const { api, pause, random, time } = this.#options;
    return new Mirror({ api, resource, pause, random, time, onChange, onTurn: () => this.#turned() });
  }

  /** One server: that all four lists stand still is one outage. */
  #turned(): void {
    const { state, error } = this.status();
    if (this.#isAway === (state === 'failing')) return;
    this.#isAway = state === 'failing';
    this.#options.onTurn(this.#isAway ? (error ?? '') : undefined);
  }
}

import { once } from 'node:events';
import { type Access, Api, Collection } from '../../../../kubernetes/index.js';
import type { Snapshot, Source, SourceContext } from '../../source.js';
import { endpointsOf, NODES, type Targets } from './resources.js';

/** A service; without a namespace, in that of the pod. */
export interface Sought {
  readonly service: string;
  readonly namespace?: string | undefined;
}

export interface KubernetesSourceOptions {
  /** Rejects where there is no cluster. */
  readonly access: () => Promise<Access>;
  /** A watch in which nothing came for so long, in milliseconds, is dead. */
  readonly idle?: number;
}

/** The nodes of the cluster; or, of a service, what stands behind it. */
export function kubernetesSource(
  name: string,
  sought: Sought | undefined,
  { access, ...patience }: KubernetesSourceOptions,
  { pause }: SourceContext,
): Source {
  return {
    name,
    async *follow(signal) {
      const api = new Api(await access());
      const resource =
        sought === undefined
          ? NODES
          : endpointsOf(sought.service, sought.namespace ?? (await api.namespace()));
      const collection = new Collection({ api, resource, pause, ...patience });
      while (!signal.aborted) yield* snapshots(collection, resource, signal);
    },
  };
}

/** Until the list must be made anew. What changes while the reader is slow comes in one snapshot. */
async function* snapshots(
  collection: Collection<readonly string[]>,
  { most }: Targets,
  signal: AbortSignal,
): AsyncGenerator<Snapshot> {
  const listed = await collection.list(signal);
  const { objects, faults } = listed.contents;
  const left = new AbortController();
  let changed = new AbortController();
  const onNews = (isChange: boolean) => {
    if (isChange) changed.abort();
  };
  const watching = collection.watch(listed, onNews, AbortSignal.any([signal, left.signal]));
  const over = watching.then(() => true);
  over.catch(() => {}); // whoever waits for it hears of it
  try {
    do {
      changed = new AbortController();
      yield { targets: [...objects.values()].flat(), whole: objects.size < most && faults.size === 0 };
    } while (!(await Promise.race([over, happened(changed.signal)])));
  } finally {
    left.abort();
    await watching.catch(() => {});
  }
}

async function happened(signal: AbortSignal): Promise<false> {
  if (!signal.aborted) await once(signal, 'abort');
  return false;
}

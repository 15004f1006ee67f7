import { once } from 'node:events';
import { formatHostPort } from '../../../../net/index.js';
import type { Snapshot, Source, SourceContext } from '../../source.js';
import { type Access, Cluster, ownNamespace } from './cluster.js';
import { endpointsOf, MOST_OBJECTS, NODES } from './resources.js';

/** A service; without a namespace, in that of the pod. */
export interface Sought {
  readonly service: string;
  readonly namespace?: string | undefined;
}

/** How a pod gets at the API. */
export function podAccess({
  KUBERNETES_SERVICE_HOST: host,
  KUBERNETES_SERVICE_PORT: port,
}: NodeJS.ProcessEnv): Access {
  return {
    origin: host === undefined ? undefined : `https://${formatHostPort({ host, port: Number(port ?? 443) })}`,
    account: '/var/run/secrets/kubernetes.io/serviceaccount',
    idle: 120_000,
  };
}

/** The nodes of the cluster; or, of a service, what stands behind it. */
export function kubernetesSource(
  name: string,
  sought: Sought | undefined,
  access: Access,
  { pause }: SourceContext,
): Source {
  return {
    name,
    async *follow(signal) {
      const resource =
        sought === undefined
          ? NODES
          : endpointsOf(sought.service, sought.namespace ?? (await ownNamespace(access)));
      const cluster = await Cluster.enter(access, resource, pause);
      while (!signal.aborted) yield* snapshots(cluster, signal);
    },
  };
}

/** Until the list must be made anew. What changes while the reader is slow comes in one snapshot. */
async function* snapshots(cluster: Cluster, signal: AbortSignal): AsyncGenerator<Snapshot> {
  const listed = await cluster.list(signal);
  const left = new AbortController();
  let changed = new AbortController();
  const watching = cluster.watch(listed, () => changed.abort(), AbortSignal.any([signal, left.signal]));
  const over = watching.then(() => true);
  over.catch(() => {}); // whoever waits for it hears of it
  try {
    do {
      changed = new AbortController();
      yield { targets: [...listed.objects.values()].flat(), whole: listed.objects.size < MOST_OBJECTS };
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

import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesControl } from '../../api/index.js';
import { parsePeerId } from '../../identity/index.js';
import { findAccess } from '../../kubernetes/index.js';
import type { Mesh } from '../../mesh/index.js';
import type { KubernetesHost, KubernetesPlugin } from '../../plugins/kubernetes/index.js';
import type { Addresses } from '../addresses/index.js';
import type { Plan } from '../launch/index.js';
import type { Log } from '../logging/index.js';
import type { Trust } from '../membership/index.js';

/** The plugin of a router on a node of a cluster; undefined for others, which do not load it. Rejects with `no-cluster` or `bad-kubeconfig`. */
export async function joinCluster(
  { settings, files }: Plan,
  log: Log,
): Promise<KubernetesPlugin | undefined> {
  if (!settings.kubernetes) return undefined;
  const { KubernetesPlugin } = await import('../../plugins/kubernetes/index.js');
  const plugin = new KubernetesPlugin({
    access: await findAccess(process.env),
    node: process.env.NODE_NAME ?? settings.nickname,
    file: files.kubernetes,
    pause: (milliseconds, signal) => delay(milliseconds, undefined, { signal }).catch(() => {}), // the signal came
    random: Math.random,
    now: () => performance.now(),
    time: Date.now,
  });
  plugin.on('notice', (what) => log.info(what));
  plugin.on('trouble', (what) => log.warn(what));
  return plugin;
}

/** Without a cluster. */
export const NO_CLUSTER: KubernetesControl = {
  status: () => ({
    ...{ enabled: false, server: null, node: null },
    ...{ state: 'waiting', since: 0, listedAt: null, error: null },
    counts: { nodes: 0, namespaces: 0, pods: 0, policies: 0 },
    ...{ removed: [], faults: [] },
  }),
};

export interface HostParts {
  readonly plan: Pick<Plan, 'identity'>;
  readonly mesh: Pick<Mesh, 'members' | 'member' | 'reachable'>;
  readonly addresses: Pick<Addresses, 'rangesOf'>;
  readonly trust: Pick<Trust, 'remove'>;
}

/** What the plugin may ask of the router. */
export function hostFor(
  { plan, mesh, addresses, trust }: HostParts,
  isReady: KubernetesHost['isReady'],
): KubernetesHost {
  return {
    peer: plan.identity.peer,
    alive: () => mesh.members().flatMap(({ peer, self }) => (self || mesh.reachable(peer) ? [peer] : [])),
    remembers: (text) => {
      const peer = parsePeerId(text);
      return mesh.member(peer) !== undefined || addresses.rangesOf(peer).length > 0;
    },
    remove: async (peer) => {
      await trust.remove({ peer });
    },
    isReady,
  };
}

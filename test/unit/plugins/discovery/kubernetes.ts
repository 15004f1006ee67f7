/** Kubernetes as sources ask it. */
import { kubernetesSource } from '../../../../src/plugins/discovery/sources/index.js';
import { ApiServer, NODES as NODE_PATH, SLICES } from '../../../kubernetes/api-server.js';
import type { Implementation } from './compliance.js';

export function setNode(api: ApiServer, name: string, ...addresses: string[]): void {
  const told = addresses.map((address) => ({ type: 'InternalIP', address }));
  const status = { addresses: [{ type: 'Hostname', address: name }, ...told] };
  api.put(NODE_PATH, { metadata: { name }, status });
}

export function setSlice(api: ApiServer, name: string, content: object): void {
  api.put(SLICES, { metadata: { name }, ...content });
}

/** The content of a slice. */
export const slice = (addresses: readonly string[], port?: number) => ({
  addressType: 'IPv4',
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: false } })),
  ports:
    port === undefined
      ? null
      : [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port },
        ],
});

export const NODES: Implementation = {
  kind: 'kubernetes, of nodes',
  make: async (directory, context) => {
    const api = await ApiServer.start(directory);
    let named: readonly string[] = [];
    return {
      source: kubernetesSource('kubernetes:', undefined, { access: async () => api.access() }, context),
      name: async (targets) => {
        for (const target of named) if (!targets.includes(target)) api.remove(NODE_PATH, target);
        for (const target of targets) setNode(api, target, target.split(':')[0] ?? '');
        named = targets;
      },
      break: async () => api.break(),
      mend: async () => {
        api.broken = false;
      },
      end: async () => api.stop(),
    };
  },
};

export const SERVICE: Implementation = {
  kind: 'kubernetes, of a service',
  make: async (directory, context) => {
    const api = await ApiServer.start(directory);
    const access = async () => api.access();
    return {
      source: kubernetesSource('kubernetes:weft', { service: 'weft' }, { access }, context),
      name: async (targets) => {
        const hosts = targets.map((target) => target.split(':')[0] ?? '');
        setSlice(api, 'weft-x7k2p', slice(hosts, 6783));
      },
      break: async () => api.break(),
      mend: async () => {
        api.broken = false;
      },
      end: async () => api.stop(),
    };
  },
};

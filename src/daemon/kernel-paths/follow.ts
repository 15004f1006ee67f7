import type { Forwarder } from '../../forwarder/index.js';
import * as hostnet from '../../hostnet/index.js';
import type { PeerId } from '../../identity/index.js';
import type { Mesh } from '../../mesh/index.js';
import { localAddresses } from '../../net/index.js';
import type { Overlay } from '../../overlay/index.js';
import type { Log } from '../logging/index.js';
import type { Endpoints } from '../mac-routes/index.js';
import type { Networks } from '../segments/index.js';
import { Applier } from './applier.js';
import { KernelPaths } from './kernel-paths.js';

/** What decides over kernel paths. */
export interface KernelPathParts {
  readonly self: PeerId;
  /** Of the default network. */
  readonly bridge: string;
  /** UDP port of this router. */
  readonly port: number;
  /** Of the containers. */
  readonly mtu: number;
  readonly mesh: Mesh;
  readonly overlay: Overlay;
  readonly forwarder: Forwarder;
  readonly networks: Networks;
  readonly endpoints: Endpoints;
  readonly log: Log;
}

/** The VXLAN devices of a router are at the port after its own. */
function vxlanPort(port: number): number | undefined {
  return port < 65_535 ? port + 1 : undefined;
}

/** Kernel paths that follow all that decides over them; undefined where there is no port for them. */
export function followKernelPaths(parts: KernelPathParts): KernelPaths | undefined {
  const { self, bridge, mtu, mesh, overlay, forwarder, networks, endpoints, log } = parts;
  const port = vxlanPort(parts.port);
  if (port === undefined) return undefined;
  const guard = new hostnet.VxlanGuard(bridge);
  const station = hostnet.macOf(self);
  const kernelPaths: KernelPaths = new KernelPaths({
    applier: new Applier({ owner: self, port, mtu, station, forwarder, host: hostnet, guard, log }),
    forwarder,
    monitor: new hostnet.ForwardingMonitor((device) => kernelPaths.disturbed(device)),
    port,
    ownAddresses: () => new Set(localAddresses()),
    mtu,
    mtuOf: (peer) => mesh.member(peer)?.mtu,
    sourcesTo: hostnet.sourcesTo,
    facts: () => ({
      networks: new Map(networks.segments()),
      endpoints: endpoints.all(),
      stationOf: hostnet.macOf,
      portOf: (peer) => vxlanPort(mesh.member(peer)?.port ?? 65_535),
    }),
    ping: (peer) => overlay.ping(peer),
    traffic: hostnet.traffic,
    log,
  });
  follow(kernelPaths, parts);
  kernelPaths.on('moved', ({ peer, network, used }) => {
    const nickname = mesh.member(peer)?.nickname ?? peer;
    const how = used ? 'stay in the kernel' : 'go by the forwarder';
    log.info(`frames for ${nickname} ${how} from now on`, { network: networks.nameOf(network) });
  });
  return kernelPaths;
}

function follow(
  kernelPaths: KernelPaths,
  { overlay, forwarder, networks, endpoints }: KernelPathParts,
): void {
  forwarder.on('ready', () => kernelPaths.connected());
  forwarder.on('event', ({ name, fields }) => {
    if (name === 'kernel-path') kernelPaths.pathChanged();
    if (name === 'kernel-path-lost') kernelPaths.lost(fields.network);
    if (name === 'endpoint' || name === 'transport' || name === 'observed') kernelPaths.changed();
  });
  for (const event of ['peer-up', 'peer-down', 'session', 'next-hop'] as const) {
    overlay.on(event, () => kernelPaths.changed());
  }
  networks.on('bridges', () => kernelPaths.changed());
  endpoints.on('changed', () => kernelPaths.changed());
}

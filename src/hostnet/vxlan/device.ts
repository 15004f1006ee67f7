import { WeftError } from '../../errors.js';
import {
  bridgeAlias,
  interfaceNames,
  ipBatch,
  isPresent,
  type Link,
  type LinkState,
  link,
  links,
  ownerOf,
  portFlaw,
  setSysctl,
} from '../kernel/index.js';
import { removeLink, vxlanName } from '../segment/index.js';

/** A VXLAN device beside the TAP in a bridge. */
export interface VxlanOptions {
  readonly bridge: string;
  /** Peer id of the router. */
  readonly owner: string;
  /** VXLAN network identifier, 24 bits. */
  readonly vni: number;
  /** The address that its packets come from. Without it the kernel takes another one where there are several. */
  readonly local: string;
  /** UDP port at which it listens. */
  readonly port: number;
  /** Of the containers: by itself the kernel takes 1500, whatever fits. */
  readonly mtu: number;
}

/**
 * Makes the device, or takes back that of an earlier run if it is the same, and puts it into the bridge. It learns nothing, floods nothing, and no frame
 * passes between it and the TAP. Rejects with `bridge-taken`, or with a CommandFailed when the port is somebody else's.
 */
export async function ensureVxlan(options: VxlanOptions): Promise<void> {
  const { bridge, owner, vni, local, port, mtu } = options;
  const name = vxlanName(bridge);
  const existing = await link(name);
  if (existing !== undefined && !isSame(existing, options)) {
    if (ownerOf(existing) !== owner) {
      throw new WeftError('bridge-taken', `${name} is an interface of this host that weft did not make`);
    }
    await removeLink(name);
  }
  await ipBatch([
    // A packet that is too large must get lost, so that the probes of full size find it out, not be cut into fragments.
    `link add name ${name} type vxlan id ${vni} local ${local} dstport ${port} nolearning ttl auto${local.includes(':') ? '' : ' df set'}`,
    `link set dev ${name} alias ${bridgeAlias(owner)}`,
  ]).catch((error: unknown) => {
    if (!isPresent(error)) throw error;
  });
  // A port has nothing to say itself.
  await setSysctl(`net/ipv6/conf/${name}/disable_ipv6`, '1');
  await ipBatch([
    `link set dev ${name} mtu ${mtu} master ${bridge}`,
    `link set dev ${name} type bridge_slave isolated on learning off flood off mcast_flood off bcast_flood off`,
    `link set dev ${name} up`,
  ]);
}

/** What is wrong with a device as a port of its bridge; undefined when nothing is. */
export function vxlanFlaw(
  { bridge, mtu }: Pick<VxlanOptions, 'bridge' | 'mtu'>,
  state: LinkState | undefined,
): string | undefined {
  return state === undefined ? 'gone' : portFlaw(state, { bridge, mtu, isIsolated: true });
}

/** The VXLAN devices of a router, by name. */
export async function vxlansOf(owner: string): Promise<string[]> {
  if (![...(await interfaceNames())].some((name) => name.endsWith('-vx'))) return [];
  const ours = (await links()).filter((item) => ownerOf(item) === owner);
  return ours.filter(({ linkinfo }) => linkinfo?.info_kind === 'vxlan').map(({ ifname }) => ifname);
}

function isSame({ linkinfo, ...found }: Link, { owner, vni, local, port }: VxlanOptions): boolean {
  const { id, port: dstport, local: ipv4, local6 } = linkinfo?.info_data ?? {};
  const isVxlan = linkinfo?.info_kind === 'vxlan' && ownerOf(found) === owner;
  return isVxlan && id === vni && dstport === port && (ipv4 ?? local6) === local;
}

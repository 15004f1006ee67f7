/** An interface whose other end waits in the router's own network namespace until somebody else moves it into a container. */
import { interfaceNames, ipBatch, links, type Namespace } from '../kernel/index.js';
import { digestOf, gsoLimits, HOST_ENDS, type HostEndOptions, ownLines, plugLines } from './host-end.js';

/** How the two ends are called. */
export interface LoosePair {
  /** The host's end. */
  readonly port: string;
  readonly loose: string;
}

export interface LoosePairOptions extends LoosePair, HostEndOptions {
  readonly port: string;
  readonly mac: string;
}

/** The names follow from whose interface it is. */
export function loosePair(whose: string): LoosePair {
  const digest = digestOf(whose);
  return { port: `${HOST_ENDS}${digest}`, loose: `wl${digest}` };
}

/** Makes both ends, or finds those that wait: the host's on the bridge, the other down, without addresses. One of which the other end is elsewhere is made anew. */
export async function ensureLoosePair(options: LoosePairOptions): Promise<void> {
  const { port, loose, mtu, mac } = options;
  const names = await interfaceNames();
  const waits = names.has(port) && names.has(loose);
  const made = [
    ...(names.has(port) ? [`link delete dev ${port}`] : []),
    `link add name ${port} mtu ${mtu} type veth peer name ${loose} mtu ${mtu} address ${mac}`,
    ...ownLines(options, loose),
  ];
  await ipBatch([
    ...(waits ? [] : made),
    `link set dev ${loose} down mtu ${mtu} address ${mac} ${gsoLimits(mtu)}`,
    ...plugLines(options),
  ]);
}

/** Name of the interface in a namespace that has this MAC and leads out of it; undefined when none does. */
export async function interfaceWithMac({ path }: Namespace, mac: string): Promise<string | undefined> {
  const found = (await links(path)).filter(({ address }) => address === mac);
  return found.find(({ linkinfo }) => linkinfo?.info_kind === 'veth')?.ifname;
}

import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';

/** An interface of this host, and what is on its link. */
export interface Place {
  readonly name: string;
  /** Those of this host that others on the link may use. */
  readonly addresses: readonly string[];
  /** What is on the link itself, as `192.0.2.1/24`. */
  readonly subnets: readonly string[];
}

/** From linux/if.h. */
const IFF = { pointToPoint: 0x10, multicast: 0x1000 };

/** The interfaces that have one of these addresses and take multicast. */
export async function placesOf(usable: readonly string[]): Promise<Place[]> {
  const all = Object.entries(networkInterfaces()).map(([name, facts = []]) => ({
    name,
    addresses: facts.map(({ address }) => address).filter((address) => usable.includes(address)),
    subnets: facts.flatMap(({ cidr }) => cidr ?? []),
  }));
  const found = await Promise.all(all.map(async (place) => ((await isShared(place.name)) ? [place] : [])));
  return found.flat().filter(({ addresses }) => addresses.length > 0);
}

/** On a link with others, not with one at the other end. */
async function isShared(name: string): Promise<boolean> {
  const flags = Number(await readFile(`/sys/class/net/${name}/flags`, 'utf8').catch(() => '0'));
  return (flags & IFF.multicast) !== 0 && (flags & IFF.pointToPoint) === 0;
}

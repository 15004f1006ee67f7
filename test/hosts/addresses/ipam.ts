/** Addresses that the routers give. */
import type { Attachment, Ipam } from '../../../src/api/index.js';
import type { Container, Host, Node } from '../../lab/index.js';

export const ipam = (host: Host) => host.weftJson<Ipam>('status', 'ipam');

/** Attaches a container, which is given addresses; with its first one of IPv4. */
export async function attach(container: Container, ...args: string[]): Promise<string> {
  const { addresses } = await container.host.weftJson<Attachment>('attach', container.namespace, ...args);
  const [address] = addresses.filter((text) => !text.includes(':'));
  if (address === undefined)
    throw new Error(`${container.name} was given ${addresses.join(' ') || 'nothing'}`);
  container.addresses.push(...addresses);
  return address;
}

/** The IPv4 addresses of an interface, in the order of their text; none when it is not there. */
export async function addressesOn(node: Node, device: string): Promise<string[]> {
  const links =
    await node.ipJson<
      { ifname: string; addr_info: { local: string; prefixlen: number; family: string }[] }[]
    >('address');
  const found = links.filter(({ ifname }) => ifname === device).flatMap(({ addr_info }) => addr_info);
  return found
    .flatMap(({ local, prefixlen, family }) => (family === 'inet' ? `${local}/${prefixlen}` : []))
    .sort();
}

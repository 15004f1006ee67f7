/** Addresses that the routers give. */
import type { Attachment, Ipam } from '../../src/api/index.js';
import type { Container, Host } from '../lab/index.js';

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

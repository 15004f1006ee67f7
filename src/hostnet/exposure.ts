import ipaddr from 'ipaddr.js';
import { type Cidr, parseCidr } from './cidr.js';
import { ipBatch, isAbsent } from './ip.js';

/** Gives the host these addresses on a bridge; those that it has are left as they are. */
export async function exposeAddresses(bridge: string, cidrs: readonly Cidr[]): Promise<void> {
  await ipBatch(
    cidrs.map(({ text, family }) => {
      return `address replace ${text} dev ${bridge}${family === 'inet6' ? ' nodad' : ' brd +'}`;
    }),
  );
}

/** Takes them away; what is not there is skipped. */
export async function hideAddresses(bridge: string, cidrs: readonly Cidr[]): Promise<void> {
  for (const { text } of cidrs) {
    await ipBatch([`address delete ${text} dev ${bridge}`]).catch((error: unknown) => {
      if (!isAbsent(error)) throw error;
    });
  }
}

/** The subnet of an address, such as `10.32.0.0/12`. */
export function subnetOf(cidr: string): string {
  const { text, family } = parseCidr(cidr);
  const kind = family === 'inet' ? ipaddr.IPv4 : ipaddr.IPv6;
  return `${kind.networkAddressFromCIDR(text)}/${text.split('/')[1]}`;
}

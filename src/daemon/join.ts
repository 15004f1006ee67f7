import { formatHostPort, ipHostPort, parseHostPort } from '../address.js';
import type { Token } from '../api/index.js';
import { hostAddresses } from '../hostnet/index.js';
import { encodeToken, type Network } from '../identity/index.js';

export interface JoinOptions {
  readonly network: Network;
  readonly port: number;
  /** `host[:port]`; empty: the host's own addresses. */
  readonly addresses: readonly string[];
}

/** What another host needs to join: a token for networks of a token, the addresses for those of a password. */
export async function joinInvitation({ network, port, addresses }: JoinOptions): Promise<Token> {
  const reachable =
    addresses.length > 0
      ? addresses.map((address) => formatHostPort(parseHostPort(address, port)))
      : (await hostAddresses()).map((address) => formatHostPort(ipHostPort(address, port)));
  const token = encodeToken({ secret: network.secrets[0], addresses: reachable });
  const join =
    network.mode === 'token'
      ? `weft launch --token ${token}`
      : ['weft launch --password-file FILE', ...reachable.slice(0, 1)].join(' ');
  return { token, join, addresses: reachable };
}

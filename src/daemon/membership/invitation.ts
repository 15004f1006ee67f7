import type { Token } from '../../api/index.js';
import { hostAddresses } from '../../hostnet/index.js';
import { encodeToken, type Network } from '../../identity/index.js';
import { formatHostPort, ipHostPort, parseAdvertised } from '../../net/index.js';

export interface JoinOptions {
  readonly network: Network;
  readonly port: number;
  /** `host[:port]`; empty: the host's own addresses. */
  readonly addresses: readonly string[];
  /** Subnets of segments, where no router is to be sought. */
  readonly inside: readonly string[];
}

/** A token, and the command that joins another host with it. */
export async function joinInvitation({ network, port, addresses, inside }: JoinOptions): Promise<Token> {
  const reachable =
    addresses.length > 0
      ? addresses.map((address) => formatHostPort(parseAdvertised(address, port)))
      : (await hostAddresses(inside)).map((address) => formatHostPort(ipHostPort(address, port)));
  const { id, generation, epoch, admin, secrets } = network;
  const isPlain = generation === 0 && epoch === 0 && admin === undefined;
  const whose = admin === undefined ? {} : { admin };
  const which = isPlain ? {} : { network: { id, generation, epoch, ...whose } };
  const token = encodeToken({ secret: secrets[0], ...which, addresses: reachable });
  return { token, join: `weft launch --token ${token}`, addresses: reachable };
}

/** The command that joins another host the way this one joined: by token, or by the password that all of them have. */
export async function joinCommand(options: JoinOptions): Promise<string> {
  const { join, addresses } = await joinInvitation(options);
  if (options.network.mode === 'token') return join;
  return ['weft launch --password-file FILE', ...addresses.slice(0, 1)].join(' ');
}

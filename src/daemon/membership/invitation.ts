import type { Token } from '../../api/index.js';
import { hostAddresses } from '../../hostnet/index.js';
import { encodeToken, MAX_TOKEN_ADDRESSES, type Network } from '../../identity/index.js';
import { formatHostPort, ipHostPort, parseAdvertised } from '../../net/index.js';

export interface JoinOptions {
  readonly network: Network;
  readonly port: number;
  /** `host[:port]`; empty: the host's own addresses. */
  readonly addresses: readonly string[];
  /** Subnets of segments, where no router is to be sought. */
  readonly inside: readonly string[];
  /** `host:port` of other routers, which are tried where this one cannot be reached, as behind a NAT. */
  readonly others?: readonly string[];
}

/** Other routers that a token names, at most. */
const MOST_OTHERS = 4;

/** A token, and the command that joins another host with it. */
export async function joinInvitation(options: JoinOptions): Promise<Token> {
  const { network, port, addresses, inside, others = [] } = options;
  const own =
    addresses.length > 0
      ? addresses.map((address) => formatHostPort(parseAdvertised(address, port)))
      : (await hostAddresses(inside)).map((address) => formatHostPort(ipHostPort(address, port)));
  // An address of a link of this host alone means nothing elsewhere.
  const elsewhere = others.filter((address) => !own.includes(address) && !address.includes('%'));
  const room = Math.max(0, MAX_TOKEN_ADDRESSES - own.length);
  const reachable = [...own, ...elsewhere.slice(0, Math.min(MOST_OTHERS, room))];
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

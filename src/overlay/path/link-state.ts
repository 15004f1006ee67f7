import c, { type Encoder } from 'compact-encoding';
import { boundedList, fixedBytes, struct } from '../../codec.js';
import { WeftError } from '../../errors.js';
import { type PeerId, peerIdBytes, peerIdFromBytes } from '../../identity/index.js';
import { NATS, type Nat } from './traversal/index.js';

/** docs/protocol.md, section 7: what each router tells all others about its links of the data plane. */

export const LINKS_CHANNEL = 'links';
/** The one key of each router in that channel. */
export const LINKS_KEY = 'links';
/** More links than this are not told: the cheapest are. */
export const MAX_LINKS = 256;

export interface LinkState {
  readonly nat: Nat;
  /** Peers that answer directly, and what the link with each costs. */
  readonly links: ReadonlyMap<PeerId, number>;
}

interface Wire {
  readonly nat: number;
  readonly links: readonly { readonly peer: Uint8Array; readonly cost: number }[];
}

const wire: Encoder<Wire> = struct({
  nat: c.uint8,
  links: boundedList(struct({ peer: fixedBytes(8), cost: c.uint }), MAX_LINKS),
});

/** Encodes the cheapest links in the order of their peers; refuses what no router sends. */
export const linkState: Encoder<LinkState> = {
  preencode: (state, value) => wire.preencode(state, toWire(value)),
  encode: (state, value) => wire.encode(state, toWire(value)),
  decode: (state) => fromWire(wire.decode(state)),
};

function toWire({ nat, links }: LinkState): Wire {
  const cheapest = [...links].sort((a, b) => a[1] - b[1]).slice(0, MAX_LINKS);
  const ordered = cheapest.sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    nat: NATS.indexOf(nat),
    links: ordered.map(([peer, cost]) => ({ peer: peerIdBytes(peer), cost })),
  };
}

function fromWire({ nat: number, links }: Wire): LinkState {
  const nat = NATS[number];
  if (nat === undefined) throw new WeftError('bad-message', `there is no NAT of kind ${number}`);
  return { nat, links: new Map(links.map(({ peer, cost }) => [peerIdFromBytes(peer), cost])) };
}

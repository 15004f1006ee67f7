import { WeftError } from '../../errors.js';
import { addressText, type Span } from './range.js';

type AbsenceCause = 'unreachable' | 'silent';

/** What is wrong with those who own what was asked for, and what to try first. */
const ABSENCE: Readonly<Record<AbsenceCause, string>> = {
  unreachable: 'cannot be reached: start it',
  silent: 'did not answer in time: try again',
};

/** The errors of the ring: each message says who cannot do what, why, and what to do about it. */
export const ringError = {
  foundersDiffer: (ours: readonly string[], theirs: readonly string[]) =>
    new WeftError(
      'ring-mismatch',
      `the range of another router was first split between ${listed(theirs)}, that of this router between ${listed(ours)}: launch all routers with the same --ipalloc-init; weft reset makes a router forget its addresses`,
    ),
  rangesDiffer: (ours: string, theirs: string) =>
    new WeftError(
      'ring-mismatch',
      `another router hands out addresses of ${theirs}, this one of ${ours}: launch all routers with the same --ipalloc-range; weft reset makes a router forget its addresses`,
    ),
  notOwner: (signer: string, owner: string) =>
    new WeftError(
      'not-its-owner',
      `${signer} gave away addresses of ${owner} without a signature of ${owner}: its record is ignored`,
    ),
  ahead: (signer: string) =>
    new WeftError(
      'impossible-record',
      `${signer} signed a record of the ring for a time years from now: it is ignored; if the clock of a host is wrong, set it`,
    ),
  tooLong: (type: string) =>
    new WeftError(
      'message-too-long',
      `a message about addresses (${type}) was not sent: the ring has too many records for one message; routers that are gone are in it, or one makes them up`,
    ),
  conflict: (peer: string) =>
    new WeftError(
      'address-conflict',
      `${peer} claims to own addresses of this router: one of the two was forced to take back addresses that it had given away; run weft reset on that one`,
    ),
  peerAlive: (peer: string) =>
    new WeftError(
      'peer-alive',
      `${peer} cannot be removed because it is up: run weft reset there, so that it gives its addresses away itself`,
    ),
  used: (address: number, by: string) =>
    new WeftError('address-used', `${addressText(address)} is in use by ${by}: choose another address`),
  noSpace: (span: Span) =>
    new WeftError(
      'no-space',
      `all addresses from ${spanText(span)} are in use: remove containers, or use a larger subnet`,
    ),
  noRing: () =>
    new WeftError(
      'no-addresses',
      'this router cannot hand out addresses yet because it has met no router that owns any: see weft status ipam, and launch enough routers for --ipalloc-init',
    ),
  unconfirmed: (missing: readonly string[]) =>
    new WeftError(
      'no-addresses',
      `this router cannot hand out addresses because it was restarted and ${listed(missing)} must confirm what it owns: start what is down, or remove it with weft rmpeer if it is dead; weft prime --force takes the addresses back without asking`,
    ),
  notGranted: () => new WeftError('not-in-time', 'no router gave the address in time: try again'),
  /** Owners of what was asked for cannot be reached, or do not answer; a router that has just ended may still count as reachable. */
  absent: (peers: readonly NamedPeer[], span: Span, range: Span, cause: AbsenceCause) => {
    const owners = listed(peers.map(({ name }) => name));
    const removals = peers.map(({ peer }) => `\`weft rmpeer ${peer}\``).join(' and ');
    return new WeftError(
      'not-in-time',
      `only ${owners} can give ${spanText(span)}, and ${ABSENCE[cause]}, run ${removals} if it is gone for good or was set up anew, or give an address that is not of ${spanText(range)}`,
    );
  },
  notTakenOver: (peer: string, missing: readonly string[]) =>
    new WeftError(
      'not-in-time',
      missing.length === 0
        ? `${peer} is removed; another router takes over its addresses`
        : `${peer} is removed; its addresses are taken over once ${listed(missing)} answered: run weft rmpeer for these, too, if they are dead as well`,
    ),
  noSuccessor: () => new WeftError('not-in-time', 'no other router took them in time'),
  leaving: () =>
    new WeftError(
      'no-addresses',
      'this router hands out no addresses because it is leaving the network: ask another router',
    ),
} as const;

/** A peer, and the name by which people know it. */
interface NamedPeer {
  readonly peer: string;
  readonly name: string;
}

function spanText({ start, end }: Span): string {
  const [first, last] = [addressText(start), addressText(end - 1)];
  return first === last ? first : `${first} to ${last}`;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'nobody' : names.join(', ');
}

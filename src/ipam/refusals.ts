import { WeftError } from '../errors.js';
import { addressText, type Span } from './range.js';

/** Why the ring refuses something: one line that says what, why, and what to do. */
export const refusal = {
  founders: (ours: readonly string[], theirs: readonly string[]) =>
    new WeftError(
      'ring-mismatch',
      `another router's addresses were first split between ${listed(theirs)}, ours between ${listed(ours)}: launch all routers with the same --ipalloc-init; weft reset makes one forget what it has`,
    ),
  range: (ours: string, theirs: string) =>
    new WeftError(
      'ring-mismatch',
      `another router hands out addresses of ${theirs}, this one of ${ours}: launch all routers with the same --ipalloc-range; weft reset makes one forget what it has`,
    ),
  stolen: (thief: string, owner: string) =>
    new WeftError('not-its-owner', `${thief} gave away addresses of ${owner}, which did not sign that`),
  conflict: (peer: string) =>
    new WeftError(
      'address-conflict',
      `${peer} says that addresses of this router are its own: one of the two was forced to take back what it had given away; run weft reset on it`,
    ),
  alive: (peer: string) =>
    new WeftError(
      'peer-alive',
      `${peer} is up: run weft reset there, so that it gives its addresses away itself`,
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
      'this router knows no owner of any address yet: it waits for another one that does; see weft status ipam, and launch enough routers for --ipalloc-init',
    ),
  doubt: (missing: readonly string[]) =>
    new WeftError(
      'no-addresses',
      `this router was restarted, and ${listed(missing)} must confirm what it owns: start what is down, or remove it with weft rmpeer if it is dead; weft prime --force takes the addresses back without asking`,
    ),
  waited: (peers: readonly string[]) =>
    new WeftError(
      'cancelled',
      peers.length === 0
        ? 'nobody gave the address in time: try again'
        : `${listed(peers)} did not give the address in time: try again`,
    ),
  /** Whoever owns what was asked for is not to be reached. */
  absent: (peers: readonly Named[], span: Span, range: Span) => {
    const owners = listed(peers.map(({ name }) => name));
    const removals = peers.map(({ peer }) => `\`weft rmpeer ${peer}\``).join(' and ');
    return new WeftError(
      'cancelled',
      `only ${owners} can give ${spanText(span)}, and cannot be reached: start it, run ${removals} if it is gone for good or was set up anew, or give an address that is not of ${spanText(range)}`,
    );
  },
  unanswered: (peer: string, missing: readonly string[]) =>
    new WeftError(
      'cancelled',
      missing.length === 0
        ? `${peer} is removed; another router takes its addresses over`
        : `${peer} is removed; its addresses are taken over once ${listed(missing)} answered: run weft rmpeer for these, too, if they are dead as well`,
    ),
  noHeir: () => new WeftError('cancelled', 'no other router took them in time'),
  leaving: () =>
    new WeftError('no-addresses', 'this router leaves the network and hands out no addresses any more'),
} as const;

/** A peer, and how people call it. */
interface Named {
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

import { WeftError } from '../errors.js';
import type { MemberView } from '../mesh/index.js';

/** So many digits of a peer id name a peer. */
const SHORTEST_ID = 4;

/** The member with this nickname, or whose id begins so. Throws `no-such-peer` or `ambiguous-peer`. */
export function memberNamed(members: readonly MemberView[], name: string): MemberView {
  const named = members.filter(({ nickname }) => nickname === name);
  const numbered = members.filter(
    ({ peer }) => name.length >= SHORTEST_ID && peer.startsWith(name.toLowerCase()),
  );
  const found = named.length > 0 ? named : numbered;
  const [member] = found;
  if (member === undefined) {
    throw new WeftError('no-such-peer', `no peer is called ${name}: \`weft status peers\` shows them`);
  }
  if (found.length === 1) return member;
  const which = found.map((each) => each.peer).join(', ');
  throw new WeftError('ambiguous-peer', `${name} may be ${which}: use a peer id`);
}

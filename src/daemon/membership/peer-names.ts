import { WeftError } from '../../errors.js';
import type { PeerId } from '../../identity/index.js';
import type { MemberView } from '../../mesh/index.js';

/** Minimum number of digits of a peer id that name a peer. */
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
  const which = found.map((each) => `${each.peer}${stateOf(each)}`).join(' or ');
  throw new WeftError('ambiguous-peer', `${name} may be ${which}: use a peer id`);
}

/** How a message calls a peer: by its nickname, with the id where others have that, too: this host, say, before it was set up anew. */
export function nameOf(members: readonly MemberView[], peer: PeerId): string {
  const nickname = members.find((member) => member.peer === peer)?.nickname;
  if (!nickname) return peer;
  const isShared = members.some((member) => member.peer !== peer && member.nickname === nickname);
  return isShared ? `${nickname} (${peer})` : nickname;
}

/** What tells it from others of its name. */
function stateOf({ self, left, down }: MemberView): string {
  if (self) return ' (this router)';
  if (left) return ' (stopped)';
  return down ? ' (down)' : '';
}

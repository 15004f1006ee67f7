import type { Link } from './link/link.js';
import type { MemberRecord } from './membership/record.js';
import type { LinkView, MemberView } from './types.js';

/** What others see of a link; `record` is the newest of its peer, where there is one. */
export function linkView(link: Link, record: MemberRecord = link.remote.record): LinkView {
  return {
    peer: link.remote.peer,
    nickname: record.content.nickname,
    direction: link.outbound ? 'outbound' : 'inbound',
    remoteAddress: link.remoteAddress,
    since: link.since,
    ...(link.rtt === undefined ? {} : { rtt: link.rtt }),
  };
}

/** What others see of a member: what it says of itself, but for the costs of its links, and how it stands to this router. */
export function memberView(
  { peer, content }: MemberRecord,
  standing: Pick<MemberView, 'self' | 'linked' | 'down' | 'neighbours'>,
): MemberView {
  const { links: _, ...rest } = content;
  return { peer, ...rest, ...standing };
}

import type { PeerId } from '../../identity/index.js';
import type { MemberRecord } from '../membership/index.js';
import type { Link } from './link.js';

export interface LinkView {
  readonly peer: PeerId;
  readonly nickname: string;
  /** Who dialled: `outbound` is us. */
  readonly direction: 'inbound' | 'outbound';
  /** `1.2.3.4:40000` or `[2001:db8::1]:40000`. */
  readonly remoteAddress: string;
  /** Unix time in milliseconds at which the link was established. */
  readonly since: number;
  /** Round-trip time in milliseconds, smoothed; undefined before the first ping was answered. */
  readonly rtt?: number;
}

/** What users see of a link; `record` is the newest record of its peer, if one is known. */
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

/** Where something came from that was refused or failed. */
export interface LinkOrigin {
  readonly peer?: PeerId;
  readonly address?: string;
}

export function originOf(link: Link): LinkOrigin {
  return { address: link.remoteAddress, ...(link.established ? { peer: link.remote.peer } : {}) };
}

import type { PeerRecord } from './record.js';

/** What orders the records of one peer: of two, the one with the higher version counts. */
export type Version = Pick<PeerRecord, 'incarnation' | 'sequence'>;

/** Negative, zero or positive, as the first version is lower, equal or higher. */
export function compareVersions(a: Version, b: Version): number {
  return a.incarnation - b.incarnation || a.sequence - b.sequence;
}

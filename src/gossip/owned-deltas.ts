import { encodeDelta, type Group, type SignedEntry, type SignedHead } from './owned-wire.js';

/** Small enough that checking all signatures of a delta does not hold other work up for long. */
const DELTA_BYTES = 64 * 1024;
/** What a record takes on the wire beside its own bytes: its signature, its length, and its share of the list counts. */
const RECORD_OVERHEAD = 64 + 8;

interface OpenGroup {
  readonly head: SignedHead;
  readonly entries: SignedEntry[];
}

/** Encodes groups as deltas of about `DELTA_BYTES`; a group that does not fit goes on in the next delta, with its head repeated. */
export function encodeDeltas(groups: readonly Group[]): Uint8Array[] {
  const deltas: Uint8Array[] = [];
  let current: OpenGroup[] = [];
  let bytes = 0;
  const finish = () => {
    if (current.length > 0) deltas.push(encodeDelta(current));
    current = [];
    bytes = 0;
  };
  const open = (head: SignedHead): OpenGroup => {
    if (bytes > DELTA_BYTES) finish();
    const group = { head, entries: [] };
    current.push(group);
    bytes += head.record.length + RECORD_OVERHEAD;
    return group;
  };
  for (const { head, entries } of groups) {
    let group = open(head);
    for (const entry of entries) {
      if (bytes > DELTA_BYTES) group = open(head);
      group.entries.push(entry);
      bytes += entry.record.length + RECORD_OVERHEAD;
    }
  }
  finish();
  return deltas;
}

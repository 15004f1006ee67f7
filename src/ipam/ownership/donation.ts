import type { PeerId } from '../../identity/index.js';
import {
  type DenialReason,
  type MessageOf,
  overlap,
  type PeerIncarnation,
  type RingRecord,
  type Span,
} from '../ring/index.js';
import { spareBlock } from './allocations.js';
import type { Ownership } from './ownership.js';
import type { Takeover } from './takeover.js';

/** Maximum number of records in a denial that tell who owns the span. */
const MAX_HINTS = 64;

/** Donates addresses that this router owns and has not allocated to routers that request some. */
export class Donation {
  readonly #ownership: Ownership;
  readonly #takeover: Takeover;
  readonly #isLeaving: () => boolean;

  constructor(ownership: Ownership, takeover: Takeover, isLeaving: () => boolean) {
    this.#ownership = ownership;
    this.#takeover = takeover;
    this.#isLeaving = isLeaving;
  }

  onRequest(from: PeerId, { nonce, span, participant }: MessageOf<'request'>): void {
    const ownership = this.#ownership;
    ownership.merge([participant]);
    const deny = (reason: DenialReason, records: readonly RingRecord[] = []) =>
      ownership.send(from, { type: 'denial', nonce, reason, records });
    const { ring, allocations } = ownership.state;
    const arcs = ownership.owned.filter((arc) => overlap(arc, span) !== undefined);
    const block = spareBlock(allocations.gaps(arcs, span));
    if (participant.peer !== from || ring?.hasEnded(participant) !== false) {
      deny('not-now', [...(ring?.participantRecords.values() ?? [])]);
    } else if (this.#isLeaving()) deny('not-now');
    else if (arcs.length === 0) deny('not-mine', this.#takeover.evidence([span]).slice(0, MAX_HINTS));
    else if (block === undefined) deny(span.end - span.start === 1 ? 'used' : 'full');
    else this.#grant(block, participant, nonce);
  }

  #grant(block: Span, to: PeerIncarnation, nonce: number): void {
    const ownership = this.#ownership;
    const record = ownership.grant(block, to);
    const { participant } = ownership;
    const records: RingRecord[] = participant === undefined ? [record] : [participant, record];
    ownership.send(to.peer, { type: 'grant', nonce, records });
  }
}

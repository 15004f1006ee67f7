import type { PeerId } from '../../identity/index.js';
import type { Arc, VersionedSpan } from '../ring/index.js';

/**
 * One round in which all other participants are asked to confirm a takeover.
 *
 * Every participant must confirm, knowing the same incarnations to have ended. A record that none of them
 * knows was known to ended incarnations only, and is void, because whoever has confirmed accepts nothing from
 * those any more. A participant that is dead and does not answer has to be removed as well.
 */
export class ConfirmationRound {
  readonly round: number;
  readonly participantsHash: string;
  readonly spans: readonly VersionedSpan[];
  readonly #confirmed = new Set<PeerId>();
  /** When to ask again those that have not confirmed. */
  retryAt: number;

  constructor(round: number, participantsHash: string, pending: readonly Arc[], retryAt: number) {
    this.round = round;
    this.participantsHash = participantsHash;
    this.spans = pending.map(({ start, end, record }) => ({ start, end, version: record.version }));
    this.retryAt = retryAt;
  }

  /** Whether confirmations of this round are valid for these pending arcs, too. */
  covers(participantsHash: string, pending: readonly Arc[]): boolean {
    if (participantsHash !== this.participantsHash) return false;
    let at = 0;
    return pending.every(({ start, end, record }) => {
      while (at < this.spans.length && (this.spans[at]?.end ?? 0) < end) at++;
      const span = this.spans[at];
      return span !== undefined && span.start <= start && span.version >= record.version;
    });
  }

  confirm(peer: PeerId): void {
    this.#confirmed.add(peer);
  }

  /** The participants that have not confirmed. */
  missing(participants: Iterable<PeerId>, self: PeerId): PeerId[] {
    const missing: PeerId[] = [];
    for (const peer of participants) if (peer !== self && !this.#confirmed.has(peer)) missing.push(peer);
    return missing;
  }
}

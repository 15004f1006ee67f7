import type { PeerId } from '../../identity/index.js';
import type { Question, Segment } from '../ring/index.js';

/**
 * Asks everybody who takes part in the ring what they know of addresses whose owner is gone, so that they can be taken over.
 *
 * Everybody must answer, and know of everybody else who is gone: what nobody of them knows was known to the gone only, and that is
 * void, because who has answered accepts nothing from them any more. Whoever is dead and does not answer has to be removed, too.
 */
export class Census {
  readonly round: number;
  readonly standing: string;
  readonly questions: readonly Question[];
  readonly #answered = new Set<PeerId>();
  /** Sends the questions again to who has not answered. */
  askAgainAt: number;

  constructor(round: number, standing: string, claims: readonly Segment[], askAgainAt: number) {
    this.round = round;
    this.standing = standing;
    this.questions = claims.map(({ start, end, deed }) => ({ start, end, version: deed.version }));
    this.askAgainAt = askAgainAt;
  }

  /** Whether what was answered is an answer for these claims, too. */
  covers(standing: string, claims: readonly Segment[]): boolean {
    if (standing !== this.standing) return false;
    let at = 0;
    return claims.every(({ start, end, deed }) => {
      while (at < this.questions.length && (this.questions[at]?.end ?? 0) < end) at++;
      const question = this.questions[at];
      return question !== undefined && question.start <= start && question.version >= deed.version;
    });
  }

  answered(peer: PeerId): void {
    this.#answered.add(peer);
  }

  /** Who of the participants has not answered. */
  missing(participants: Iterable<PeerId>, self: PeerId): PeerId[] {
    const missing: PeerId[] = [];
    for (const peer of participants) if (peer !== self && !this.#answered.has(peer)) missing.push(peer);
    return missing;
  }
}

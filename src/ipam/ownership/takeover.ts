import type { PeerId } from '../../identity/index.js';
import {
  type Deed,
  type Fact,
  type Message,
  overlap,
  type Question,
  type Segment,
  type Span,
} from '../ring/index.js';
import { Census } from './confirmation.js';
import type { Domain } from './ownership.js';

/** Who has not answered is asked again after so many milliseconds. */
const RETRY = 2_000;

/** Makes addresses ours whose owner is gone (also: we ourselves, in an earlier life), and answers others that are about to. */
export class Takeover {
  readonly #domain: Domain;
  readonly #reachable: (peer: PeerId) => boolean;
  #census: Census | undefined;
  #rounds = 0;

  constructor(domain: Domain, reachable: (peer: PeerId) => boolean) {
    this.#domain = domain;
    this.#reachable = reachable;
  }

  /** Whose answers are missing. */
  get waitingFor(): readonly PeerId[] {
    return this.#census === undefined ? [] : this.#missing(this.#census);
  }

  get busy(): boolean {
    return this.#census !== undefined;
  }

  /** What was answered is void. */
  reset(): void {
    this.#census = undefined;
  }

  /** Asks for what there is to take over, or takes it over when everybody has answered. */
  consider(): void {
    const { left, estate, standing } = this.#domain;
    const { claims } = estate;
    if (claims.length === 0 || left) {
      this.#census = undefined;
      return;
    }
    const isCurrent = this.#census?.covers(standing, claims) === true;
    const census = isCurrent && this.#census !== undefined ? this.#census : this.#begin();
    if (this.#missing(census).length > 0) return;
    this.#census = undefined;
    this.#take(claims);
  }

  /** Takes over what we owned ourselves, whoever has answered. */
  force(): void {
    this.#take(this.#domain.estate.claims.filter(({ deed }) => deed.owner === this.#domain.self));
  }

  tick(now: number): void {
    if (this.#census !== undefined && this.#census.askAgainAt <= now) this.#ask(this.#census);
  }

  reached(peer: PeerId): void {
    if (this.#census !== undefined && this.waitingFor.includes(peer)) this.#askPeer(this.#census, peer, []);
  }

  onAsk(from: PeerId, { round, standing, questions, facts }: Message & { type: 'ask' }): void {
    const domain = this.#domain;
    domain.put(facts);
    if (standing !== domain.standing) {
      domain.send(from, { type: 'differ', round, facts: this.#seats() });
      return;
    }
    if (this.#isRival(questions)) {
      // One of the two must be first. Whoever yields has to ask everybody anew, who is first already among them.
      if (domain.self < from) return;
      this.#begin();
    }
    this.#affirm(questions);
    domain.send(from, { type: 'answer', round, standing, facts: this.evidence(questions) });
  }

  onAnswer(from: PeerId, { round, standing, facts }: Message & { type: 'answer' }): void {
    this.#domain.put(facts);
    const isCurrent = round === this.#census?.round && standing === this.#domain.standing;
    if (isCurrent) this.#census?.answered(from);
  }

  onDiffer(from: PeerId, { round, facts }: Message & { type: 'differ' }): void {
    this.#domain.put(facts);
    const { standing, estate } = this.#domain;
    if (this.#census?.round !== round || estate.claims.length === 0) return;
    const census = this.#census.covers(standing, estate.claims) ? this.#census : this.#begin();
    this.#askPeer(census, from, this.#seats());
  }

  /** The deeds that count in these spans, and those whose owners' seats have not come yet. */
  evidence(spans: readonly Span[]): Fact[] {
    const { ring } = this.#domain.state;
    const deeds = new Set<Deed>();
    for (const segment of ring?.segments ?? []) {
      const { deed } = segment;
      if (deed.version === 0) continue;
      const isUnseated = (ring?.seats.get(deed.owner)?.life ?? 0) < deed.ownerLife;
      if (isUnseated || spans.some((span) => overlap(span, segment) !== undefined)) deeds.add(deed);
    }
    return [...deeds].map((deed) => ({ kind: 'deed', deed }));
  }

  #begin(): Census {
    const { standing, estate, now } = this.#domain;
    this.#rounds++;
    const census = new Census(this.#rounds, standing, estate.claims, now + RETRY);
    this.#census = census;
    this.#ask(census);
    return census;
  }

  #missing(census: Census): PeerId[] {
    return census.missing(this.#domain.state.ring?.participants ?? [], this.#domain.self);
  }

  #ask(census: Census): void {
    census.askAgainAt = this.#domain.now + RETRY;
    for (const peer of this.#missing(census)) this.#askPeer(census, peer, []);
  }

  #askPeer({ round, standing, questions }: Census, peer: PeerId, facts: readonly Fact[]): void {
    if (this.#reachable(peer)) this.#domain.send(peer, { type: 'ask', round, standing, questions, facts });
  }

  /** Whether we are about to take over some of it ourselves. */
  #isRival(questions: readonly Span[]): boolean {
    return this.#domain.estate.claims.some((claim) =>
      questions.some((question) => overlap(claim, question) !== undefined),
    );
  }

  /** What is ours of it gets a version that counts more than what whoever asks has heard of. */
  #affirm(questions: readonly Question[]): void {
    const { mine } = this.#domain.estate;
    const again = questions.flatMap((question) =>
      mine.flatMap((segment) => {
        const shared = overlap(segment, question);
        const isOlder = segment.deed.version <= question.version;
        return shared !== undefined && isOlder ? [{ ...shared, version: question.version }] : [];
      }),
    );
    this.#domain.take(again);
  }

  #take(claims: readonly Segment[]): void {
    this.#domain.take(claims.map(({ start, end, deed }) => ({ start, end, version: deed.version })));
  }

  #seats(): Fact[] {
    return seatFacts(this.#domain);
  }
}

/** All seats that are known. */
export function seatFacts({ state }: Domain): Fact[] {
  return [...(state.ring?.seats.values() ?? [])].map((seat) => ({ kind: 'seat', seat }));
}

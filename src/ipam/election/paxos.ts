import type { PeerId } from '../../identity/index.js';
import { type Accepted, compareProposals, type ElectorRecord, MAX_ROUND, type Proposal } from './wire.js';

/**
 * Single-decree Paxos (Lamport, "Paxos Made Simple"), for electors that see each other's records instead of
 * sending messages. Every elector is proposer, acceptor and learner.
 *
 * A record may be seen late, and some versions of it never, but what it states stays true: an elector whose
 * record shows a promise of P has stated in it what it had accepted last before P, and accepts nothing in
 * earlier proposals any more; an elector whose record shows that it accepted a value in P has accepted it for
 * ever.
 */

/** What an elector knows besides its own record. */
export interface ElectorView {
  /** The records of the other electors, as far as they have been seen. */
  readonly others: readonly ElectorRecord[];
  /** The number of electors in a majority. */
  readonly quorum: number;
  readonly decided: readonly PeerId[] | null;
}

/** The size of a majority. */
export function quorumOf(electors: number): number {
  return Math.floor(electors / 2) + 1;
}

/** The latest proposal that any elector promised. */
export function latestPromise(all: readonly ElectorRecord[]): Proposal | null {
  return all.reduce<Proposal | null>((latest, { promised }) => later(latest, promised), null);
}

/**
 * The elector's record once it makes a proposal later than all that it knows; unchanged if there can be no
 * later one.
 */
export function propose(own: ElectorRecord, { others }: ElectorView): ElectorRecord {
  const round = (latestPromise([own, ...others])?.round ?? 0) + 1;
  if (round > MAX_ROUND) return own;
  return { ...own, promised: { round, proposer: own.elector, incarnation: own.incarnation } };
}

/** The elector's record in response to what it sees; the same object if it has nothing to add. */
export function respond(own: ElectorRecord, view: ElectorView): ElectorRecord {
  const latest = latestPromise([own, ...view.others]);
  const promising = isSame(latest, own.promised) ? own : { ...own, promised: latest };
  const accepted = acceptable(promising, view);
  return accepted === null ? promising : { ...promising, accepted };
}

/** Whether the elector made the proposal, in its present incarnation. */
export function isOwn(own: ElectorRecord, proposal: Proposal): boolean {
  return proposal.proposer === own.elector && proposal.incarnation === own.incarnation;
}

/** The value that a quorum accepted in one proposal, if any. */
export function decision(all: readonly ElectorRecord[], quorum: number): readonly PeerId[] | null {
  for (const { accepted } of all) {
    if (accepted === null) continue;
    const agreeing = all.filter((each) => isSame(each.accepted?.proposal ?? null, accepted.proposal));
    if (agreeing.length >= quorum) return accepted.value;
  }
  return null;
}

/**
 * What the elector can accept in the proposal that it promised: what others accepted in it, or what it may
 * choose as its proposer.
 */
function acceptable(own: ElectorRecord, { others, quorum, decided }: ElectorView): Accepted | null {
  const { promised, accepted } = own;
  if (promised === null || isSame(promised, accepted?.proposal ?? null)) return null;
  const told = others.find((other) => isSame(promised, other.accepted?.proposal ?? null))?.accepted;
  if (told) return decided === null || isEqual(told.value, decided) ? told : null;
  if (!isOwn(own, promised)) return null;
  const supporters = [own, ...others].filter((each) => isSame(promised, each.promised));
  if (supporters.length < quorum) return null;
  return { proposal: promised, value: decided ?? choose([own, ...others]) };
}

/**
 * The value that was accepted in the latest proposal, because it may be decided; or else all electors that
 * are known. Electors that did not promise are considered as well, which does no harm: after a decision,
 * every later proposal has the decided value.
 */
function choose(all: readonly ElectorRecord[]): readonly PeerId[] {
  const last = all.reduce<Accepted | null>(
    (a, { accepted: b }) => (compareProposals(b?.proposal ?? null, a?.proposal ?? null) > 0 ? b : a),
    null,
  );
  return last?.value ?? all.map(({ elector }) => elector).sort();
}

function later(a: Proposal | null, b: Proposal | null): Proposal | null {
  return compareProposals(a, b) >= 0 ? a : b;
}

function isSame(a: Proposal | null, b: Proposal | null): boolean {
  return compareProposals(a, b) === 0;
}

function isEqual(a: readonly PeerId[], b: readonly PeerId[]): boolean {
  return a.length === b.length && a.every((peer, index) => peer === b[index]);
}

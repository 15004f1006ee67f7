import type { PeerId } from '../../identity/index.js';
import { type Accepted, type Claims, compareProposals, MAX_ROUND, type Proposal } from './wire.js';

/**
 * Single-decree Paxos (Lamport, "Paxos Made Simple"), for electors that see each other's claims instead of sending messages.
 *
 * Claims may be seen late and versions of them never, but what they say stays true: whoever shows a promise of P has told with it the last
 * that it accepted before P, and accepts nothing from before P any more; whoever shows that it accepted P has accepted it for ever.
 */

/** What an elector goes by besides its own claims. */
export interface Sight {
  /** The claims of the other electors. */
  readonly others: readonly Claims[];
  /** So many electors are more than half of them. */
  readonly quorum: number;
  readonly decided: readonly PeerId[] | null;
}

/** More than half. */
export function quorumOf(electors: number): number {
  return Math.floor(electors / 2) + 1;
}

/** The latest proposal that anybody promised. */
export function latestPromise(all: readonly Claims[]): Proposal | null {
  return all.reduce<Proposal | null>((latest, { promised }) => later(latest, promised), null);
}

/** What an elector claims once it makes a proposal later than all that it knows of; its claims as they are when there can be no later one. */
export function propose(own: Claims, { others }: Sight): Claims {
  const round = (latestPromise([own, ...others])?.round ?? 0) + 1;
  if (round > MAX_ROUND) return own;
  return { ...own, promised: { round, proposer: own.elector, incarnation: own.incarnation } };
}

/** What an elector claims in answer to what it sees; the same object when it has nothing to add. */
export function respond(own: Claims, sight: Sight): Claims {
  const latest = latestPromise([own, ...sight.others]);
  const promising = isSame(latest, own.promised) ? own : { ...own, promised: latest };
  const accepted = acceptable(promising, sight);
  return accepted === null ? promising : { ...promising, accepted };
}

/** True when the elector made the proposal, and not in a run that it does not remember. */
export function isOwn(own: Claims, proposal: Proposal): boolean {
  return proposal.proposer === own.elector && proposal.incarnation === own.incarnation;
}

/** The value that a quorum accepted in one proposal. */
export function decision(all: readonly Claims[], quorum: number): readonly PeerId[] | null {
  for (const { accepted } of all) {
    if (accepted === null) continue;
    const agreeing = all.filter((each) => isSame(each.accepted?.proposal ?? null, accepted.proposal));
    if (agreeing.length >= quorum) return accepted.value;
  }
  return null;
}

/** What there is to accept in the proposal that the elector promised: what others accepted in it, or what its proposer may now choose. */
function acceptable(own: Claims, { others, quorum, decided }: Sight): Accepted | null {
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
 * The value that was accepted last, which may have been decided, or else all electors that are known. To look at those who did not promise as well does no
 * harm: what they accepted since a decision is what was decided.
 */
function choose(all: readonly Claims[]): readonly PeerId[] {
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

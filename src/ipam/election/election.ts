import { WeftError } from '../../errors.js';
import { type PeerId, peerIdOf } from '../../identity/index.js';
import { ElectionRecords } from './elector-records.js';
import { decision, isOwn, latestPromise, propose, quorumOf, respond, type Sight } from './paxos.js';
import {
  type Claims,
  checkClaims,
  decodeDelta,
  decodeState,
  encodeDelta,
  encodeState,
  MAX_ELECTORS,
  type Proposal,
  type Seal,
  type SignedClaims,
  signClaims,
} from './wire.js';

export interface ElectionOptions {
  readonly seal: Seal;
  /** Without it the router only looks on; it may call for an election. */
  readonly elector?: ElectorOptions;
}

export interface ElectorOptions {
  /** How many routers elect, this one among them: 1 to `MAX_ELECTORS`, the same on all of them. */
  readonly electors: number;
  /** Unix time in milliseconds. Counts when nothing is stored. */
  readonly incarnation: number;
  /** The last state that was `saved`; it must not be an older one. */
  readonly stored?: Uint8Array;
}

/** When several routers hear at once that an election is called for, most hear of the first proposal before they make one. */
const START_MS = 500;
/** How long the latest proposal may rest before somebody else makes one, at least, and at most twice that. */
const PATIENCE_MS = 2500;

/**
 * Routers that know nothing of each other but a password agree, once, on the sorted list of the peers that share the address ring.
 *
 * Each elector signs its own claims; all claims are a CRDT that gossip carries (in the manner of `GossipChannel`), and Paxos is played on what
 * is seen of it. What this router claims is told to nobody, and counts for nothing here, before the caller has stored it:
 * after each call that may change something, `unsaved` is what to store and `saved` reports that it is on the disk.
 *
 * Any number of electors may crash and come back with their state; more than half must be there for a decision. No I/O, no clock.
 */
export class Election {
  readonly #seal: Seal;
  readonly #records: ElectionRecords;
  /** Ours, of which the last may not be stored yet; undefined for an observer. */
  #own: Claims | undefined;
  /** The version of ours that others may know. */
  #told: SignedClaims | undefined;
  #retired = false;
  #stored: Uint8Array | undefined;
  #pending = false;
  #decided: readonly PeerId[] | null = null;
  /** When to make a proposal, unless something moves before. */
  #due: number | undefined;

  /** Throws `bad-electors`, `election-mismatch` when the stored state is of an election of another size, or `bad-message` when it is none of this router. */
  constructor({ seal, elector }: ElectionOptions) {
    this.#seal = seal;
    this.#records = new ElectionRecords(elector?.electors);
    if (elector === undefined) return;
    checkElectors(elector.electors);
    if (elector.stored === undefined) this.#own = newClaims(seal, elector);
    else this.#resume(elector.electors, elector.stored);
  }

  /** The peers that share the ring, sorted; null until it is known that a quorum agreed. It never changes. */
  get decided(): readonly PeerId[] | null {
    return this.#decided;
  }

  /** An election was called for, here or elsewhere. */
  get begun(): boolean {
    return this.#records.begun;
  }

  /** The peers that elect, as far as they are known, sorted. */
  get electors(): readonly PeerId[] {
    return this.#records
      .claims()
      .map(({ elector }) => elector)
      .sort();
  }

  /** More than half of the electors; undefined for an observer that has not heard of any. */
  get quorum(): number | undefined {
    const { electors } = this.#records;
    return electors === undefined ? undefined : quorumOf(electors);
  }

  /** False for an observer, until the first state is saved, when as many others as there may be electors began before, and when `retired`. */
  get votes(): boolean {
    if (this.#retired || this.#told === undefined) return false;
    const { record, claims } = this.#told;
    const counted = this.#records.get(claims.elector);
    return counted !== undefined && Buffer.compare(counted.record, record) === 0;
  }

  /** This router voted in a run that it does not remember, and votes no more: its state was lost, or an older one was put in its place. */
  get retired(): boolean {
    return this.#retired;
  }

  /** What must be on the disk, before anything else is of use; null when it is. Never more than 9 KiB. */
  get unsaved(): Uint8Array | null {
    if (this.#own === undefined) return null;
    const state = encodeState({ retired: this.#retired, claims: this.#own });
    return this.#stored !== undefined && Buffer.compare(state, this.#stored) === 0 ? null : state;
  }

  /** This state, the last `unsaved` or one before it, is on the disk (fsync): what it says counts from now on and may be told. */
  saved(state: Uint8Array): void {
    const { claims } = decodeState(state);
    this.#stored = state;
    if (this.#retired) return;
    this.#told = signClaims(this.#seal, claims);
    if (this.#records.put(this.#told)) this.#pending = true;
    this.#vote();
  }

  /** Calls for an election: an elector makes a proposal at once unless there is one; an observer has the electors make one. */
  propose(): void {
    if (this.#records.begin()) this.#pending = true;
    if (this.#latest() === null) this.#outbid();
  }

  /**
   * To be called again and again, about every 100 ms: makes another proposal when the latest rests, since its proposer may be gone.
   * `now` in milliseconds, of any clock; `random` from 0 to 1, another one in each call.
   */
  tick(now: number, random: number): void {
    if (!this.begun || this.#decided !== null || this.#own === undefined || !this.votes) return;
    const latest = this.#latest();
    // Whoever hears of our proposal promises it, sooner or later: another one would be of no use.
    if (latest !== null && isOwn(this.#own, latest)) return;
    this.#due ??= now + (latest === null ? START_MS * random : PATIENCE_MS * (1 + random));
    if (now >= this.#due) this.#outbid();
  }

  takeDeltas(): readonly Uint8Array[] {
    if (!this.#pending) return [];
    this.#pending = false;
    const own = this.#own && this.#records.get(this.#own.elector);
    return this.#records.messages(own === undefined ? [] : [own]);
  }

  /**
   * Takes in what a neighbour sent and gives back what of it was news, or null.
   * Throws `bad-message`, `bad-signature` or `election-mismatch` (an elector was told another number of electors); all is then as before.
   */
  merge(delta: Uint8Array): Uint8Array | null {
    const { begun, signed } = decodeDelta(delta);
    const relevant = signed.filter((each) => this.#records.isNews(each) || this.#isForgotten(each));
    this.#check(relevant);
    if (relevant.some((each) => this.#isForgotten(each))) this.#retired = true;
    const news = relevant.filter((each) => this.#records.put(each));
    const begins = (begun || news.some(({ claims }) => claims.promised !== null)) && this.#records.begin();
    if (news.length === 0 && !begins) return null;
    this.#due = undefined;
    this.#vote();
    return encodeDelta({ begun: this.begun, signed: news });
  }

  digest(): Uint8Array {
    return this.#records.digest();
  }

  /** Throws `bad-message`. */
  refine(digest: Uint8Array): Uint8Array | null {
    return this.#records.refine(digest);
  }

  /** Throws `bad-message`. */
  answer(digest: Uint8Array): readonly Uint8Array[] {
    return this.#records.answer(digest);
  }

  #resume(electors: number, stored: Uint8Array): void {
    const { retired, claims } = decodeState(stored);
    if (!claims.publicKey.equals(this.#seal.publicKey)) {
      throw new WeftError('bad-message', `the stored election is of the router ${claims.elector}`);
    }
    if (claims.electors !== electors) throw mismatch('this router has begun to elect', claims, electors);
    this.#own = claims;
    this.#told = signClaims(this.#seal, claims);
    this.#stored = stored;
    this.#retired = retired;
    this.#records.put(this.#told);
    if (claims.promised !== null) this.#records.begin();
    this.#pending = true;
    this.#vote();
  }

  /** Throws unless all of these are genuine and of an election of one size, which is ours. */
  #check(signed: readonly SignedClaims[]): void {
    for (const each of signed) checkClaims(this.#seal, each);
    const electors = this.#records.electors ?? signed[0]?.claims.electors;
    for (const { claims } of signed) {
      if (electors !== undefined && claims.electors !== electors)
        throw mismatch(`the router ${claims.elector} elects`, claims, electors);
    }
  }

  /** Claims of ours that we do not remember: from before our state was lost, or newer than what was stored. */
  #isForgotten({ record, claims }: SignedClaims): boolean {
    if (this.#own === undefined || claims.elector !== this.#own.elector) return false;
    const told = this.#told;
    if (told === undefined || claims.incarnation !== told.claims.incarnation) return true;
    const newer = claims.version - told.claims.version;
    return newer > 0 || (newer === 0 && Buffer.compare(record, told.record) !== 0);
  }

  /** The latest proposal that we know of. */
  #latest(): Proposal | null {
    return latestPromise([...this.#records.claims(), ...(this.#own === undefined ? [] : [this.#own])]);
  }

  #outbid(): void {
    this.#due = undefined;
    const sight = this.#sight();
    if (sight === undefined || this.#own === undefined || this.#decided !== null) return;
    this.#claim(respond(propose(this.#own, sight), sight));
  }

  #vote(): void {
    const { quorum } = this;
    if (quorum !== undefined) this.#decided ??= decision(this.#records.claims(), quorum);
    const sight = this.#sight();
    if (sight !== undefined && this.#own !== undefined) this.#claim(respond(this.#own, sight));
  }

  /** What we go by in voting; undefined when we do not vote. */
  #sight(): Sight | undefined {
    const { quorum } = this;
    if (quorum === undefined || !this.votes) return undefined;
    const others = this.#records.claims().filter(({ elector }) => elector !== this.#own?.elector);
    return { others, quorum, decided: this.#decided };
  }

  #claim(claims: Claims): void {
    if (claims === this.#own) return;
    this.#own = { ...claims, version: claims.version + 1 };
  }
}

function newClaims({ publicKey }: Seal, { electors, incarnation }: ElectorOptions): Claims {
  const elector = peerIdOf(publicKey);
  return { publicKey, elector, incarnation, version: 0, electors, promised: null, accepted: null };
}

function checkElectors(electors: number): void {
  if (Number.isInteger(electors) && electors >= 1 && electors <= MAX_ELECTORS) return;
  throw new WeftError('bad-electors', `${electors} routers cannot elect: it takes 1 to ${MAX_ELECTORS}`);
}

function mismatch(who: string, { electors: theirs }: Claims, ours: number): WeftError {
  return new WeftError(
    'election-mismatch',
    `${who} with ${theirs} routers, not ${ours}: give all of them the same number of electors`,
  );
}

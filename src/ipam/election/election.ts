import { WeftError } from '../../errors.js';
import { type PeerId, peerIdOf } from '../../identity/index.js';
import { ElectorRecords } from './elector-records.js';
import { decision, type ElectorView, isOwn, latestPromise, propose, quorumOf, respond } from './paxos.js';
import {
  checkRecord,
  decodeDelta,
  decodeState,
  type ElectorRecord,
  encodeDelta,
  encodeState,
  MAX_ELECTORS,
  type Proposal,
  type SignedElectorRecord,
  type Signer,
  signRecord,
} from './wire.js';

export interface ElectionOptions {
  readonly signer: Signer;
  /** Without it the router is an observer: it may call for an election, but does not vote. */
  readonly elector?: ElectorOptions;
}

export interface ElectorOptions {
  /** The number of electors including this router: 1 to `MAX_ELECTORS`, the same on all of them. */
  readonly electors: number;
  /** Unix time in milliseconds. Used if nothing is stored. */
  readonly incarnation: number;
  /** The last state that was passed to `saved`; it must not be an older one. */
  readonly stored?: Uint8Array;
}

/**
 * Electors propose at a random time within this after an election was called for, so that most learn of a
 * proposal before they make one.
 */
const START_MS = 500;
/** An elector proposes when the latest proposal has made no progress for one to two times this. */
const PATIENCE_MS = 2500;

/**
 * Lets routers that share nothing but a password agree, once, on the founders of the address ring.
 *
 * Each elector signs a record of its own. The records are a CRDT that is gossiped (in the manner of
 * `GossipChannel`), and Paxos runs on what each router sees of it. A change of this router's record is
 * neither told to others nor used here before the caller has stored it: after each call that may change
 * something, `unsaved` is what to store, and `saved` reports that it is on the disk.
 *
 * Any number of electors may crash and come back with their state; a decision needs a majority. No I/O, no
 * clock.
 */
export class Election {
  readonly #signer: Signer;
  readonly #records: ElectorRecords;
  /** This router's record, whose latest version may not be stored yet; undefined for an observer. */
  #own: ElectorRecord | undefined;
  /** The stored version of this router's record, which others may know. */
  #published: SignedElectorRecord | undefined;
  #retired = false;
  #stored: Uint8Array | undefined;
  #pending = false;
  #decided: readonly PeerId[] | null = null;
  /** When to make a proposal, unless there is progress before. */
  #due: number | undefined;

  /**
   * Throws `bad-electors`; `election-mismatch` if the stored state has another number of electors;
   * `bad-message` if it is not of this router.
   */
  constructor({ signer, elector }: ElectionOptions) {
    this.#signer = signer;
    this.#records = new ElectorRecords(elector?.electors);
    if (elector === undefined) return;
    checkElectors(elector.electors);
    if (elector.stored === undefined) this.#own = newRecord(signer, elector);
    else this.#resume(elector.electors, elector.stored);
  }

  /**
   * The founders, sorted; null until this router knows that a quorum accepted them. Never changes afterwards.
   */
  get decided(): readonly PeerId[] | null {
    return this.#decided;
  }

  /** Whether an election was called for, here or elsewhere. */
  get begun(): boolean {
    return this.#records.begun;
  }

  /** The electors that are known, sorted. */
  get electors(): readonly PeerId[] {
    return this.#records
      .all()
      .map(({ elector }) => elector)
      .sort();
  }

  /** The size of a majority; undefined for an observer that does not know any elector. */
  get quorum(): number | undefined {
    const { electors } = this.#records;
    return electors === undefined ? undefined : quorumOf(electors);
  }

  /**
   * Whether this router votes. False for an observer, until the first state is saved, if as many others as
   * there may be electors participated before it, and once it is retired.
   */
  get votes(): boolean {
    if (this.#retired || this.#published === undefined) return false;
    const { bytes, record } = this.#published;
    const counted = this.#records.get(record.elector);
    return counted !== undefined && Buffer.compare(counted.bytes, bytes) === 0;
  }

  /**
   * Whether this router must not vote any more because its state was lost, or replaced by an older one, after
   * it had voted.
   */
  get retired(): boolean {
    return this.#retired;
  }

  /** The state to store before anything else can happen; null if it is stored. At most 9 KiB. */
  get unsaved(): Uint8Array | null {
    if (this.#own === undefined) return null;
    const state = encodeState({ retired: this.#retired, record: this.#own });
    return this.#stored !== undefined && Buffer.compare(state, this.#stored) === 0 ? null : state;
  }

  /**
   * This state, the latest `unsaved` or one before it, is on the disk (fsync): it is used from now on and may
   * be told.
   */
  saved(state: Uint8Array): void {
    const { record } = decodeState(state);
    this.#stored = state;
    if (this.#retired) return;
    this.#published = signRecord(this.#signer, record);
    if (this.#records.put(this.#published)) this.#pending = true;
    this.#vote();
  }

  /**
   * Calls for an election: an elector makes a proposal at once unless there is one; an observer lets the
   * electors make one.
   */
  propose(): void {
    if (this.#records.begin()) this.#pending = true;
    if (this.#latest() === null) this.#outbid();
  }

  /**
   * Must be called about every 100 ms: makes another proposal if the latest one makes no progress, because
   * its proposer may be down. `now` is in milliseconds, of any clock; `random` is from 0 to 1, another number
   * in each call.
   */
  tick(now: number, random: number): void {
    if (!this.begun || this.#decided !== null || this.#own === undefined || !this.votes) return;
    const latest = this.#latest();
    // Every elector that learns of this router's proposal promises it: another proposal would be of no use.
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
   * Merges what a neighbour sent and returns what of it was new, or null. Throws `bad-message`,
   * `bad-signature` or `election-mismatch` (an elector was launched with another number of electors); nothing
   * has changed then.
   */
  merge(delta: Uint8Array): Uint8Array | null {
    const { begun, signed } = decodeDelta(delta);
    const relevant = signed.filter((each) => this.#records.isNew(each) || this.#isForgotten(each));
    this.#check(relevant);
    if (relevant.some((each) => this.#isForgotten(each))) this.#retired = true;
    const news = relevant.filter((each) => this.#records.put(each));
    const begins = (begun || news.some(({ record }) => record.promised !== null)) && this.#records.begin();
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
    const { retired, record } = decodeState(stored);
    if (!record.publicKey.equals(this.#signer.publicKey)) {
      throw new WeftError(
        'bad-message',
        `the stored state of the election belongs to the router ${record.elector}, not to this one: run weft reset`,
      );
    }
    if (record.electors !== electors) throw mismatch('this router began the election', record, electors);
    this.#own = record;
    this.#published = signRecord(this.#signer, record);
    this.#stored = stored;
    this.#retired = retired;
    this.#records.put(this.#published);
    if (record.promised !== null) this.#records.begin();
    this.#pending = true;
    this.#vote();
  }

  /** Throws unless all of these are genuine and have this router's number of electors. */
  #check(signed: readonly SignedElectorRecord[]): void {
    for (const each of signed) checkRecord(this.#signer, each);
    const electors = this.#records.electors ?? signed[0]?.record.electors;
    for (const { record } of signed) {
      if (electors !== undefined && record.electors !== electors)
        throw mismatch(`the router ${record.elector} was launched`, record, electors);
    }
  }

  /**
   * Whether this is a record of this router that it does not remember: its state was lost, or is older than
   * the record.
   */
  #isForgotten({ bytes, record }: SignedElectorRecord): boolean {
    if (this.#own === undefined || record.elector !== this.#own.elector) return false;
    const published = this.#published;
    if (published === undefined || record.incarnation !== published.record.incarnation) return true;
    const newer = record.version - published.record.version;
    return newer > 0 || (newer === 0 && Buffer.compare(bytes, published.bytes) !== 0);
  }

  /** The latest proposal that is known. */
  #latest(): Proposal | null {
    return latestPromise([...this.#records.all(), ...(this.#own === undefined ? [] : [this.#own])]);
  }

  /** Makes a proposal later than all that are known. */
  #outbid(): void {
    this.#due = undefined;
    const view = this.#view();
    if (view === undefined || this.#own === undefined || this.#decided !== null) return;
    this.#update(respond(propose(this.#own, view), view));
  }

  #vote(): void {
    const { quorum } = this;
    if (quorum !== undefined) this.#decided ??= decision(this.#records.all(), quorum);
    const view = this.#view();
    if (view !== undefined && this.#own !== undefined) this.#update(respond(this.#own, view));
  }

  /** What this router goes by in voting; undefined if it does not vote. */
  #view(): ElectorView | undefined {
    const { quorum } = this;
    if (quorum === undefined || !this.votes) return undefined;
    const others = this.#records.all().filter(({ elector }) => elector !== this.#own?.elector);
    return { others, quorum, decided: this.#decided };
  }

  #update(record: ElectorRecord): void {
    if (record === this.#own) return;
    this.#own = { ...record, version: record.version + 1 };
  }
}

function newRecord({ publicKey }: Signer, { electors, incarnation }: ElectorOptions): ElectorRecord {
  const elector = peerIdOf(publicKey);
  return { publicKey, elector, incarnation, version: 0, electors, promised: null, accepted: null };
}

function checkElectors(electors: number): void {
  if (Number.isInteger(electors) && electors >= 1 && electors <= MAX_ELECTORS) return;
  throw new WeftError(
    'bad-electors',
    `${electors} routers cannot elect the founders: give a number from 1 to ${MAX_ELECTORS}`,
  );
}

function mismatch(who: string, { electors: theirs }: ElectorRecord, ours: number): WeftError {
  return new WeftError(
    'election-mismatch',
    `${who} with ${theirs} electors, not ${ours}: launch all routers with the same number in --ipalloc-init consensus=N`,
  );
}

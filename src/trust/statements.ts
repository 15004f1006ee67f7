import { EventEmitter } from 'node:events';
import { WeftError } from '../errors.js';
import { type GossipChannel, itemHash } from '../gossip/index.js';
import { blake2b, type Identity, type PeerId, type PublicKey, samePublicKey } from '../identity/index.js';
import { type Held, HeldSet } from './held-set.js';
import { type ShareLimits, Shares } from './shares.js';
import {
  type Content,
  checkStatement,
  encodeStatement,
  key,
  keyOf,
  makeStatement,
  outranks,
  type Removed,
  type Revoked,
  type Rotated,
  readStatement,
  type Statement,
  topic,
  topicOf,
} from './statement.js';

/** As many as there may be members: each of them has a place. */
const LIMITS: ShareLimits = { total: 16_384, group: 1024 };
/** Of a network with an administrator, who says everything. */
const ADMIN_LIMITS: ShareLimits = { total: LIMITS.total, group: LIMITS.total };
/** All who are not known as members share the room of one. */
const STRANGERS = '';
/** An issuer says at most two things about secrets: which is new, and which is the only one. */
const ABOUT_SECRETS = 2;

export interface StatementsOptions {
  readonly self: PeerId;
  /** Whose word alone counts; absent: everybody's. */
  readonly admin?: PublicKey | undefined;
  /** How often trust was reset. */
  readonly epoch: number;
  /** What `encoded` gave in an earlier run. */
  readonly stored: readonly Uint8Array[];
  /** What `issuers` gave in an earlier run. */
  readonly issuers: readonly PeerId[];
  /** Whoever is a member now. */
  readonly isMember: (peer: PeerId) => boolean;
  readonly limits?: ShareLimits;
}

export interface StatementsEvents {
  /** A statement is new, and it counts now. */
  statement: [statement: Statement];
  /** There are deltas to take. */
  pending: [];
}

/**
 * Who was removed or expelled, and which secret is in force: a set of signed statements that every member keeps for ever, one an issuer and
 * topic. No statement makes another one void, so that nobody takes back what somebody else said.
 *
 * Peers and secrets travel in one channel on purpose: whoever hears of a new secret has heard of those before who must not have it. No I/O, no clock.
 */
export class Statements extends EventEmitter<StatementsEvents> implements GossipChannel {
  readonly name = 'trust';
  readonly #options: StatementsOptions;
  #epoch: number;
  #held = new HeldSet();
  #shares: Shares;
  /** Those that said something and are or were members. */
  readonly #issuers: Set<PeerId>;
  /** The keys of what others said. */
  readonly #strangers = new Map<PeerId, Set<string>>();
  readonly #pending = new Set<string>();

  constructor(options: StatementsOptions) {
    super();
    this.#options = options;
    this.#epoch = options.epoch;
    this.#shares = this.#newShares();
    this.#issuers = new Set(options.issuers);
    for (const bytes of options.stored) this.#restore(bytes);
  }

  /** Everything, to be stored. */
  encoded(): readonly Buffer[] {
    return [...this.#held.all()].map(({ bytes }) => bytes);
  }

  /** Those that said something and are or were members, to be stored. */
  issuers(): readonly PeerId[] {
    return [...this.#issuers];
  }

  /** Signs what is to be said in this epoch; `now` in milliseconds of Unix time. */
  sign(signer: Identity, content: Content, now: number): Statement {
    return makeStatement(signer, content, { epoch: this.#epoch, time: now });
  }

  /** Says something to all members. Throws `too-many-statements`. */
  say(statement: Statement): void {
    const { content, issuer } = statement;
    const isNew = this.#held.find(keyOf(statement)) === undefined;
    // What was said before must not go for it, and a new secret must always find room.
    if (isNew && 'subject' in content && !this.#shares.hasRoom(issuer, 1 + ABOUT_SECRETS)) {
      throw tooMany(issuer);
    }
    if (!this.#put(statement, encodeStatement(statement))) return;
    this.#pending.add(keyOf(statement));
    this.#tell(statement);
    this.emit('pending');
  }

  /** Forgets everything; from now on only what is said in this epoch counts. */
  reset(epoch: number): void {
    this.#epoch = epoch;
    this.#held = new HeldSet();
    this.#shares = this.#newShares();
    for (const each of [this.#issuers, this.#strangers, this.#pending]) each.clear();
  }

  /** This issuer said that a peer is expelled. */
  hasRevoked(issuer: PublicKey, peer: PeerId): boolean {
    return this.#held.find(key(issuer, 'revoked', peer)) !== undefined;
  }

  /** This peer is a member: what it said does not share its room with strangers any more. */
  meet(peer: PeerId): void {
    const said = this.#strangers.get(peer);
    if (said === undefined) return;
    this.#strangers.delete(peer);
    this.#issuers.add(peer);
    for (const each of said) {
      const held = this.#held.find(each);
      if (held === undefined) continue;
      this.#held.put({ ...held, group: peer });
      this.#giveWay(this.#shares.move(held.group, peer, held.place));
    }
  }

  /** The removal of a peer that counts, if there was one. */
  removal(peer: PeerId): Statement<Removed> | undefined {
    return this.#first('removed', peer);
  }

  /** The expulsion of a peer that counts, if there was one. */
  revocation(peer: PeerId): Statement<Revoked> | undefined {
    return this.#first('revoked', peer);
  }

  /** The expulsions that count, one a peer. */
  revocations(): readonly Statement<Revoked>[] {
    return [...this.#held.all()].flatMap(({ statement }) =>
      is(statement, 'revoked') && this.#counts(statement) ? [statement] : [],
    );
  }

  /**
   * The secret that follows this one or takes its place, if there is one: a generation is followed by the next, so that nobody can use
   * them up. What somebody said who was expelled does not count, whenever it comes, unless it is in force already.
   */
  rotation({ generation, secret }: Omit<Rotated, 'kind'>): Statement<Rotated> | undefined {
    for (const { statement } of this.#held.about(topic('rotated'))) {
      if (!is(statement, 'rotated')) continue;
      const { content, issuer } = statement;
      const step = content.generation - generation;
      if (step === 0 && content.secret.equals(secret)) return undefined;
      if ((step === 0 || step === 1) && this.#isHeard(issuer)) return statement;
    }
    return undefined;
  }

  /** The secret of this generation is the only one. */
  isFinished(generation: number): boolean {
    return this.#held.about(topic('finished')).some(({ statement: { content, issuer } }) => {
      return content.kind === 'finished' && content.generation === generation && this.#isHeard(issuer);
    });
  }

  /** False when this peer was expelled, or removed in this incarnation or a later one. */
  admits(peer: PeerId, incarnation: number): boolean {
    if (this.revocation(peer) !== undefined) return false;
    const removal = this.removal(peer);
    return removal === undefined || incarnation > removal.content.incarnation;
  }

  takeDeltas(): readonly Uint8Array[] {
    const deltas = [...this.#pending].flatMap((each) => this.#held.find(each)?.bytes ?? []);
    this.#pending.clear();
    return deltas;
  }

  merge(delta: Uint8Array, _from: PeerId): Uint8Array | null {
    const statement = this.#take(delta);
    if (statement === undefined) return null;
    this.#tell(statement);
    return delta;
  }

  digest(): Uint8Array {
    return this.#held.digest.digest();
  }

  refine(digest: Uint8Array): Uint8Array | null {
    return this.#held.digest.refine(digest);
  }

  /** Peers before secrets. */
  answer(digest: Uint8Array): readonly Uint8Array[] {
    const missing = this.#held.digest.missing(digest).flatMap((each) => this.#held.find(each) ?? []);
    const aboutPeer = ({ statement: { content } }: Held) => 'subject' in content;
    return [...missing.filter(aboutPeer), ...missing.filter((held) => !aboutPeer(held))].map(
      ({ bytes }) => bytes,
    );
  }

  /** What an earlier version of weft took, or was said before trust was reset, is no reason not to start. */
  #restore(bytes: Uint8Array): void {
    try {
      this.#take(bytes);
    } catch (error) {
      if (!(error instanceof WeftError)) throw error;
    }
  }

  /** An administrator has no addresses: what it says names an heir. Others take over themselves. */
  #refuseVoid({ issuer, issuerKey, epoch, content }: Statement): void {
    const { admin } = this.#options;
    const heir = 'heir' in content ? content.heir : issuer;
    const isOfNoAccount = admin === undefined ? heir !== issuer : !samePublicKey(issuerKey, admin);
    if (epoch !== this.#epoch || isOfNoAccount) throw voidStatement(issuer);
  }

  #newShares(): Shares {
    const { admin, limits } = this.#options;
    return new Shares(limits ?? (admin === undefined ? LIMITS : ADMIN_LIMITS));
  }

  #take(bytes: Uint8Array): Statement | undefined {
    const statement = readStatement(bytes);
    this.#refuseVoid(statement);
    const known = this.#held.find(keyOf(statement));
    if (known !== undefined && !outranks(statement, known.statement)) return undefined;
    checkStatement(statement);
    return this.#put(statement, Buffer.from(bytes)) ? statement : undefined;
  }

  /** False when its issuer said something about this topic that counts before it. Throws `too-many-statements`. */
  #put(statement: Statement, bytes: Buffer): boolean {
    const [each, hash] = [keyOf(statement), itemHash(blake2b(16, [bytes]))];
    const known = this.#held.find(each);
    if (known !== undefined && !outranks(statement, known.statement)) return false;
    const group = known?.group ?? this.#groupOf(statement.issuer, each);
    // Among what an issuer said, its last word about the secret goes last.
    const place = ('subject' in statement.content ? '1' : '0') + each;
    this.#held.put({ key: each, hash, statement, bytes, group, place });
    if (known === undefined) this.#giveWay(this.#shares.add(group, place));
    if (this.#held.find(each) === undefined) throw tooMany(statement.issuer);
    return true;
  }

  /** Whose share a statement takes. */
  #groupOf(issuer: PeerId, each: string): string {
    const { self, admin, isMember } = this.#options;
    if (issuer === self || admin !== undefined || this.#issuers.has(issuer)) return issuer;
    if (isMember(issuer)) {
      this.#issuers.add(issuer);
      return issuer;
    }
    const said = this.#strangers.get(issuer) ?? new Set();
    this.#strangers.set(issuer, said.add(each));
    return STRANGERS;
  }

  /** Forgets the statement that has this place. */
  #giveWay(place: string | undefined): void {
    const held = place === undefined ? undefined : this.#held.find(place.slice(1));
    if (held === undefined) return;
    const { key: each, statement } = held;
    this.#held.delete(each);
    this.#pending.delete(each);
    const said = this.#strangers.get(statement.issuer);
    if (said?.delete(each) && said.size === 0) this.#strangers.delete(statement.issuer);
  }

  #tell(statement: Statement): void {
    if (!('subject' in statement.content) || this.#counts(statement)) this.emit('statement', statement);
  }

  /** It is the first about its topic. */
  #counts(statement: Statement): boolean {
    return this.#held.about(topicOf(statement))[0]?.statement === statement;
  }

  /** What counts about a topic. */
  #first<K extends Content['kind']>(kind: K, subject: PeerId): StatementOf<K> | undefined {
    const [first] = this.#held.about(topic(kind, subject));
    return first !== undefined && is(first.statement, kind) ? first.statement : undefined;
  }

  #isHeard(issuer: PeerId): boolean {
    return this.#options.admin !== undefined || this.revocation(issuer) === undefined;
  }
}

type StatementOf<K extends Content['kind']> = Statement<Extract<Content, { kind: K }>>;

function is<K extends Content['kind']>(statement: Statement, kind: K): statement is StatementOf<K> {
  return statement.content.kind === kind;
}

function voidStatement(issuer: PeerId): WeftError {
  return new WeftError(
    'void-statement',
    `what ${issuer} said does not count: it is of before trust was reset, or not its to say`,
  );
}

function tooMany(issuer: PeerId): WeftError {
  return new WeftError(
    'too-many-statements',
    `${issuer} said as much about other routers as is kept of one: let another router say it`,
  );
}

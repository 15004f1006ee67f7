import { EventEmitter } from 'node:events';
import { WeftError } from '../errors.js';
import { bucketOf, type GossipChannel, type ItemHash, itemHash, SetDigest } from '../gossip/index.js';
import { blake2b, type Identity, type PeerId } from '../identity/index.js';
import {
  beats,
  type Content,
  checkStatement,
  encodeStatement,
  makeStatement,
  type Removed,
  type Revoked,
  type Rotated,
  readStatement,
  type Statement,
  topic,
  topicOf,
} from './statement.js';

/** Against a member that makes up subjects without end. */
const MAX_STATEMENTS = 16_384;

interface Held {
  readonly statement: Statement;
  readonly bytes: Buffer;
  readonly hash: ItemHash;
}

export interface StatementsEvents {
  /** A statement is new; it counts now. */
  statement: [statement: Statement];
  /** There are deltas to take. */
  pending: [];
}

/**
 * Who was removed or expelled, and which secret is in force: a set of signed statements that every member keeps for ever, one a topic.
 *
 * Peers and secrets travel in one channel on purpose: whoever hears of a new secret has heard of those before who must not have it. No I/O, no clock.
 */
export class Statements extends EventEmitter<StatementsEvents> implements GossipChannel {
  readonly name = 'trust';
  readonly #identity: Identity;
  readonly #held = new Map<string, Held>();
  readonly #pending = new Set<string>();
  readonly #digest: SetDigest;

  /** `stored`: what `encoded` gave in an earlier run. Throws `bad-message` or `bad-signature`. */
  constructor(identity: Identity, stored: readonly Uint8Array[]) {
    super();
    this.#identity = identity;
    const held = this.#held;
    this.#digest = new SetDigest({
      get size() {
        return held.size;
      },
      get: (key) => held.get(key)?.hash,
      inBucket: (bucket) => this.#inBucket(bucket),
    });
    for (const bytes of stored) this.#take(bytes);
  }

  /** Everything, to be stored. */
  encoded(): readonly Buffer[] {
    return [...this.#held.values()].map(({ bytes }) => bytes);
  }

  /** Says something to all members; `now` in milliseconds of Unix time. */
  say(content: Content, now: number): void {
    const statement = makeStatement(this.#identity, content, now);
    if (!this.#put(statement, encodeStatement(statement))) return;
    this.#pending.add(topicOf(statement));
    this.emit('statement', statement);
    this.emit('pending');
  }

  /** The removal of a peer that counts, if there was one. */
  removal(peer: PeerId): Statement<Removed> | undefined {
    return this.#find('removed', peer);
  }

  /** The expulsion of a peer, if there was one. */
  revocation(peer: PeerId): Statement<Revoked> | undefined {
    return this.#find('revoked', peer);
  }

  /** All expulsions. */
  revocations(): readonly Statement<Revoked>[] {
    return [...this.#held.values()].flatMap(({ statement }) => (is(statement, 'revoked') ? [statement] : []));
  }

  /** The newest secret that was announced. */
  rotation(): Statement<Rotated> | undefined {
    return this.#find('rotated');
  }

  /** The generation of the newest secret that is the only one. */
  get finished(): number {
    return this.#find('finished')?.content.generation ?? 0;
  }

  /** False when this peer was expelled, or removed in this incarnation or a later one. */
  admits(peer: PeerId, incarnation: number): boolean {
    if (this.revocation(peer) !== undefined) return false;
    const removal = this.removal(peer);
    return removal === undefined || incarnation > removal.content.incarnation;
  }

  takeDeltas(): readonly Uint8Array[] {
    const deltas = [...this.#pending].flatMap((topic) => this.#held.get(topic)?.bytes ?? []);
    this.#pending.clear();
    return deltas;
  }

  merge(delta: Uint8Array, _from: PeerId): Uint8Array | null {
    const statement = this.#take(delta);
    if (statement === undefined) return null;
    this.emit('statement', statement);
    return delta;
  }

  digest(): Uint8Array {
    return this.#digest.digest();
  }

  refine(digest: Uint8Array): Uint8Array | null {
    return this.#digest.refine(digest);
  }

  /** Peers before secrets. */
  answer(digest: Uint8Array): readonly Uint8Array[] {
    const missing = this.#digest.missing(digest).flatMap((topic) => this.#held.get(topic) ?? []);
    const aboutPeer = ({ statement: { content } }: Held) => 'subject' in content;
    return [...missing.filter(aboutPeer), ...missing.filter((held) => !aboutPeer(held))].map(
      ({ bytes }) => bytes,
    );
  }

  #take(bytes: Uint8Array): Statement | undefined {
    const statement = readStatement(bytes);
    const known = this.#held.get(topicOf(statement));
    if (known !== undefined && !beats(statement, known.statement)) return undefined;
    checkStatement(statement);
    return this.#put(statement, Buffer.from(bytes)) ? statement : undefined;
  }

  /** False when a statement that is known counts before it. */
  #put(statement: Statement, bytes: Buffer): boolean {
    const topic = topicOf(statement);
    const known = this.#held.get(topic);
    if (known !== undefined && !beats(statement, known.statement)) return false;
    if (known === undefined && this.#held.size >= MAX_STATEMENTS) {
      throw new WeftError(
        'too-many-statements',
        `there are more than ${MAX_STATEMENTS} removed or expelled peers`,
      );
    }
    const hash = itemHash(blake2b(16, [bytes]));
    if (known !== undefined) this.#digest.toggle(topic, known.hash);
    this.#digest.toggle(topic, hash);
    this.#held.set(topic, { statement, bytes, hash });
    return true;
  }

  #find<K extends Content['kind']>(
    kind: K,
    subject?: PeerId,
  ): Statement<Extract<Content, { kind: K }>> | undefined {
    const statement = this.#held.get(topic(kind, subject))?.statement;
    return statement !== undefined && is(statement, kind) ? statement : undefined;
  }

  *#inBucket(bucket: number) {
    for (const [key, { hash }] of this.#held) if (bucketOf(key) === bucket) yield { key, hash };
  }
}

function is<K extends Content['kind']>(
  statement: Statement,
  kind: K,
): statement is Statement<Extract<Content, { kind: K }>> {
  return statement.content.kind === kind;
}

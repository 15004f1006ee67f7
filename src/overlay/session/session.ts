import { decodeExact, encode } from '../../codec.js';
import { WeftError } from '../../errors.js';
import { type Identity, type PublicKey, peerIdOf } from '../../identity/index.js';
import type { DataPlaneKeyState, KeySetting } from '../port/index.js';
import { AUTO, BASELINE_CIPHER, chooseCipher } from './cipher-choice.js';
import { Initiation, Response } from './key-agreement.js';
import { KeyRing } from './key-ring.js';
import * as wire from './messages.js';

/** What this end brings to a key agreement, as of now. */
export interface LocalOffer extends Omit<wire.Offer, 'keyIndex'> {
  /** Of our member record: grows with each start of this process. */
  readonly incarnation: number;
}

/** All in milliseconds. */
export interface SessionTimings {
  /** Age of a key at which a new one is agreed. */
  readonly rekeyInterval: number;
  /** How long an old key stays usable once a newer one is confirmed. */
  readonly keyGrace: number;
  /** First repetition of an unanswered key agreement; doubles up to `retryMax`. */
  readonly retryInitial: number;
  readonly retryMax: number;
}

export interface SessionOptions {
  readonly identity: Identity;
  readonly remote: PublicKey;
  /** Of the live network secrets, newest first. */
  readonly proofKeys: () => readonly Uint8Array[];
  readonly timings: SessionTimings;
  readonly offer: () => LocalOffer;
  /**
   * The number of an initiation: higher than all before it in this run of the process. The peer refuses what is not higher than what it saw, also from a
   * session that was made anew here while it kept its own.
   */
  readonly nextSequence: () => number;
  /** The given number of random bytes. */
  readonly random: (bytes: number) => Buffer;
}

/** What is to be done, in this order. */
export type SessionAction =
  | { readonly do: 'send'; readonly bytes: Buffer }
  /** Hand the key to the data plane; then, and only if that worked, send the answer. `offer` is the other end's. */
  | {
      readonly do: 'install';
      readonly key: KeySetting;
      readonly offer: wire.Offer;
      readonly answer?: Buffer;
    }
  | { readonly do: 'remove'; readonly localIndex: number }
  | { readonly do: 'warn'; readonly error: WeftError };

/** An initiation that waits for its response. */
interface Exchange {
  readonly id: Buffer;
  readonly agreement: Initiation;
  readonly message: Buffer;
  readonly keyIndex: number;
  repetitions: number;
  repeatAt: number;
}

/** Number of repetitions after which an initiation is made anew, with fresh contents and the next live secret. */
const MAX_REPETITIONS = 4;
/** Factor of the rekey interval for which the responder waits before it asks for a new key: the initiator comes first. */
const REQUEST_PATIENCE = 1.25;

/**
 * The keys shared with one peer, and the key agreements that renew them. No I/O, no clock: times are milliseconds of whatever
 * monotonic clock the caller uses.
 *
 * The end with the lower public key initiates; the other asks it to (`request`).
 */
export class Session {
  readonly role: 'initiator' | 'responder';
  readonly #options: SessionOptions;
  readonly #keys: KeyRing;
  #linked = false;
  #exchange: Exchange | undefined;
  #secretTurn = 0;
  /** Responder: when the (next) request is to be sent. */
  #requestAt: number | undefined;
  #requests = 0;
  /** Responder: the answer to the last initiation, for repetitions of it. */
  #answered: { id: Buffer; answer: Buffer; localIndex: number } | undefined;
  /** Responder: version of the last initiation that was accepted. */
  #seen = { incarnation: 0, sequence: -1 };
  /** Keys that the data plane did not take, since it confirmed one; and when the next may be agreed. */
  #failures = 0;
  #failedUntil: number | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#keys = new KeyRing(options.timings.keyGrace);
    this.role = Buffer.compare(options.identity.publicKey, options.remote) < 0 ? 'initiator' : 'responder';
  }

  /** The newest key. */
  get current(): { readonly cipher: string; readonly confirmed: boolean } | undefined {
    return this.#keys.newest;
  }

  /** When `tick` is to be called; undefined when nothing is due. */
  get deadline(): number | undefined {
    const due = this.#exchange?.repeatAt ?? this.#requestAt ?? this.#renewAt();
    const next = Math.min(this.#keys.deadline, this.#linked ? due : Infinity);
    return Number.isFinite(next) ? next : undefined;
  }

  /** The control link is up (again): asks for a key unless one is known to work. */
  linkUp(now: number): SessionAction[] {
    this.#linked = true;
    if (this.current?.confirmed && !this.#trustChanged()) return [];
    if (this.role === 'initiator') return this.renew(now);
    // The initiator sees the link come up too: a request is only needed if it believes that all is well.
    this.#requestAt = now + this.#options.timings.retryInitial;
    return [];
  }

  linkDown(): void {
    this.#linked = false;
  }

  /** A new key is wanted now. */
  renew(now: number): SessionAction[] {
    if (this.role === 'responder') {
      this.#requestAt = now;
      this.#requests = 0;
    } else if (this.#exchange === undefined) {
      return this.#linked ? this.#initiate(now) : [];
    } else {
      this.#exchange.repeatAt = now;
      this.#exchange.repetitions = 0;
    }
    return this.tick(now);
  }

  /** The data plane lost the keys. */
  reset(): void {
    this.#keys.clear();
    this.#exchange = undefined;
    this.#answered = undefined;
  }

  /** The data plane has these keys (of an earlier process of ours, perhaps). `up`: packets of the peer come in. */
  adopt(keys: readonly DataPlaneKeyState[], up: boolean, now: number): void {
    this.#keys.adopt(keys, up, now);
    if (this.#answered !== undefined && !this.#keys.has(this.#answered.localIndex))
      this.#answered = undefined;
  }

  /** The data plane opened a packet with this key. */
  confirm(localIndex: number, now: number): void {
    if (!this.#keys.confirm(localIndex, now)) return;
    this.#failures = 0;
    this.#failedUntil = undefined;
  }

  /** The data plane did not take this key: another is agreed after a while. */
  installFailed(localIndex: number, now: number): void {
    this.#failedUntil = now + this.#retryDelay(this.#failures);
    this.#failures += 1;
    this.#keys.remove(localIndex);
    if (this.#answered?.localIndex === localIndex) this.#answered = undefined;
  }

  /** Does what is due. */
  tick(now: number): SessionAction[] {
    const actions: SessionAction[] = this.#keys.removeExpired(now).map(removal);
    if (!this.#linked) return actions;
    if (this.role === 'responder') return [...actions, ...this.#tickResponder(now)];
    if (this.#exchange !== undefined) return [...actions, ...this.#repeat(this.#exchange, now)];
    return this.#renewAt() <= now ? [...actions, ...this.#initiate(now)] : actions;
  }

  /** Takes a message of the peer. Throws nothing: what is wrong comes back as a warning. */
  receive(bytes: Uint8Array, now: number): SessionAction[] {
    try {
      const message = decodeExact(wire.sessionMessage, bytes);
      if (message.kind === wire.REQUEST && this.role === 'initiator') return this.renew(now);
      if (message.kind === wire.INITIATION && this.role === 'responder')
        return this.#onInitiation(message, now);
      if (message.kind === wire.RESPONSE && this.role === 'initiator') return this.#onResponse(message, now);
      throw new WeftError(
        'bad-message',
        `a key agreement message of kind ${message.kind} makes no sense here`,
      );
    } catch (error) {
      if (!(error instanceof WeftError)) throw error;
      return [{ do: 'warn', error }];
    }
  }

  #initiate(now: number): SessionAction[] {
    const { identity, remote, proofKeys, random, offer, nextSequence } = this.#options;
    const keys = proofKeys();
    const proofKey = keys[this.#secretTurn % keys.length];
    if (proofKey === undefined) return [];
    const agreement = new Initiation(identity, remote, proofKey, random(32));
    const keyIndex = this.#freeIndex();
    const sequence = nextSequence();
    const id = random(wire.EXCHANGE_BYTES);
    const noise = agreement.start(encode(wire.initiationPayload, { ...offer(), sequence, keyIndex }));
    const message = encode(wire.sessionMessage, { kind: wire.INITIATION, exchange: id, noise });
    const repeatAt = now + this.#options.timings.retryInitial;
    this.#exchange = { id, agreement, message, keyIndex, repetitions: 0, repeatAt };
    return [{ do: 'send', bytes: message }];
  }

  #repeat(exchange: Exchange, now: number): SessionAction[] {
    if (now < exchange.repeatAt) return [];
    exchange.repetitions += 1;
    exchange.repeatAt = now + this.#retryDelay(exchange.repetitions);
    if (exchange.repetitions < MAX_REPETITIONS) return [{ do: 'send', bytes: exchange.message }];
    this.#secretTurn += 1;
    const actions = this.#initiate(now);
    // The peer does not answer: a fresh initiation is no reason to hurry again.
    if (this.#exchange !== undefined) this.#exchange.repeatAt = exchange.repeatAt;
    return actions;
  }

  #tickResponder(now: number): SessionAction[] {
    if ((this.#requestAt ?? this.#renewAt()) > now) return [];
    this.#requestAt = now + this.#retryDelay(this.#requests);
    this.#requests += 1;
    const empty = Buffer.alloc(0);
    return [
      {
        do: 'send',
        bytes: encode(wire.sessionMessage, { kind: wire.REQUEST, exchange: empty, noise: empty }),
      },
    ];
  }

  #onInitiation({ exchange, noise }: wire.SessionMessage, now: number): SessionAction[] {
    if (this.#answered?.id.equals(exchange)) return [{ do: 'send', bytes: this.#answered.answer }];
    const agreement = this.#open(noise);
    const { incarnation, sequence, ...offer } = decodeExact(wire.initiationPayload, agreement.payload);
    if (!this.#isNewVersion(incarnation, sequence)) {
      throw new WeftError('session-replayed', 'an old key agreement message came again');
    }
    this.#checkIndex(offer.keyIndex);
    this.#seen = { incarnation, sequence };
    const local = this.#options.offer();
    const cipher = chooseCipher(local, offer);
    const keyIndex = this.#freeIndex();
    const payload = encode(wire.responsePayload, { ...local, keyIndex, cipher });
    const answer = encode(wire.sessionMessage, {
      kind: wire.RESPONSE,
      exchange,
      noise: agreement.finish(payload),
    });
    this.#answered = { id: Buffer.from(exchange), answer, localIndex: keyIndex };
    this.#requestAt = undefined;
    this.#requests = 0;
    return this.#install(agreement, keyIndex, offer, cipher, now, answer);
  }

  #onResponse({ exchange: id, noise }: wire.SessionMessage, now: number): SessionAction[] {
    const exchange = this.#exchange;
    // A second answer to a repeated initiation, or one to an initiation that was given up.
    if (exchange === undefined || !exchange.id.equals(id)) return [];
    // Unless all goes well, the next repetition is a fresh initiation: this one has had its answer.
    exchange.repetitions = MAX_REPETITIONS;
    const { cipher, ...offer } = decodeExact(wire.responsePayload, exchange.agreement.finish(noise));
    this.#checkIndex(offer.keyIndex);
    if (cipher !== chooseCipher(this.#options.offer(), offer)) {
      throw new WeftError(
        'cipher-mismatch',
        `the peer chose the cipher ${cipher}, which does not follow from both offers`,
      );
    }
    this.#exchange = undefined;
    return this.#install(exchange.agreement, exchange.keyIndex, offer, cipher, now);
  }

  #install(
    agreement: Initiation | Response,
    localIndex: number,
    offer: wire.Offer,
    cipher: string,
    now: number,
    answer?: Buffer,
  ): SessionAction[] {
    const { role } = this;
    const { trusted } = this.#options.offer();
    const evicted = this.#keys.evict();
    const actions: SessionAction[] = evicted === undefined ? [] : [removal(evicted)];
    this.#keys.add({ localIndex, cipher, role, trusted, createdAt: now });
    const peer = peerIdOf(this.#options.remote);
    const named = { peer, localIndex, remoteIndex: offer.keyIndex, cipher, role };
    const key = { ...named, ...agreement.keys(cipher), trusted, peerTrusts: offer.trusted };
    actions.push({ do: 'install', key, offer, ...(answer === undefined ? {} : { answer }) });
    const conflict = this.#cipherConflict(offer.pinned, cipher);
    if (conflict !== undefined) actions.push({ do: 'warn', error: conflict });
    return actions;
  }

  /** Opens an initiation with whichever live secret it was made. */
  #open(noise: Uint8Array): Response {
    const { identity, remote, proofKeys, random } = this.#options;
    let refusal: unknown;
    for (const proofKey of proofKeys()) {
      try {
        return new Response(identity, remote, proofKey, random(32), noise);
      } catch (error) {
        refusal = error;
      }
    }
    throw refusal;
  }

  #cipherConflict(theirPin: string, cipher: string): WeftError | undefined {
    const { pinned } = this.#options.offer();
    if (pinned === AUTO || pinned === cipher) return undefined;
    const why = theirPin !== AUTO ? `the peer insists on ${theirPin}` : 'the peer does not have it';
    return new WeftError(
      'cipher-conflict',
      `${pinned} was asked for, but ${why}: ${BASELINE_CIPHER} is used; give both routers the same --cipher, or auto`,
    );
  }

  /** The other end must hear of it before packets are encrypted differently. */
  #trustChanged(): boolean {
    return this.#keys.newest?.trusted.join() !== this.#options.offer().trusted.join();
  }

  #isNewVersion(incarnation: number, sequence: number): boolean {
    const { incarnation: seen, sequence: last } = this.#seen;
    return incarnation > seen || (incarnation === seen && sequence > last);
  }

  #checkIndex(keyIndex: number): void {
    if (keyIndex === 0) throw new WeftError('bad-message', 'the peer chose the key index 0');
  }

  #freeIndex(): number {
    for (;;) {
      const index = this.#options.random(4).readUInt32BE();
      if (index !== 0 && !this.#keys.has(index)) return index;
    }
  }

  /** When a new key is due for its age. */
  #renewAt(): number {
    const { rekeyInterval, retryMax } = this.#options.timings;
    const { newest } = this.#keys;
    if (newest === undefined) return this.#failedUntil ?? Infinity;
    const patience = this.role === 'responder' ? REQUEST_PATIENCE : 1;
    // A key that was never used says that packets do not get through, which another key would not change.
    const age = newest.confirmed ? rekeyInterval * patience : Math.max(rekeyInterval, retryMax);
    return Math.max(newest.createdAt + age, this.#failedUntil ?? 0);
  }

  #retryDelay(attempt: number): number {
    const { retryInitial, retryMax } = this.#options.timings;
    return Math.min(retryMax, retryInitial * 2 ** attempt);
  }
}

function removal(localIndex: number): SessionAction {
  return { do: 'remove', localIndex };
}

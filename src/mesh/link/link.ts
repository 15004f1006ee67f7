import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import NoiseSecretStream from '@hyperswarm/secret-stream';
import c from 'compact-encoding';
import Protomux, { type ProtomuxChannel } from 'protomux';
import { formatHostPort, ipHostPort } from '../../address.js';
import { decodeExact, encode } from '../../codec.js';
import { WeftError } from '../../errors.js';
import { type Identity, type PeerId, type PublicKey, samePublicKey } from '../../identity/index.js';
import { checkSignature, type MemberRecord, readRecord, type SignedRecord } from '../membership/index.js';
import { COPIED } from './clones.js';
import * as wire from './messages.js';
import { MuxStream } from './mux-stream.js';
import { linkProof, matchProof, type ProofRole } from './proof.js';
import { ObfuscatedStream } from './tcp/index.js';
import type { LinkTimings } from './types.js';

/** What a link must know of its router. */
export interface LinkContext {
  readonly identity: Identity;
  /** Of the live secrets, newest first. */
  readonly proofKeys: readonly Uint8Array[];
  /** Random for each process; INSTANCE_BYTES long. */
  readonly instance: Uint8Array;
  readonly selfRecord: () => SignedRecord;
  readonly timings: LinkTimings;
  /** Bytes that may wait to be sent. */
  readonly sendQueue: number;
}

/** Who is at the other end, and what it said about us. */
export interface RemoteEnd {
  readonly publicKey: PublicKey;
  readonly peer: PeerId;
  readonly instance: Buffer;
  /** `address:port` of this end of the link as the other end sees it. */
  readonly observed: string;
  readonly record: MemberRecord;
}

export interface LinkEvents {
  /** Both sides proved the secret and said hello. */
  established: [remote: RemoteEnd];
  message: [message: wire.LinkMessage];
  /** What waited has been sent. */
  drain: [];
  /** Something of the other side was dropped. */
  refused: [error: WeftError];
  /** Not to be used for sending any more; what the other side still sends is received. */
  closing: [reason: WeftError];
  closed: [reason: WeftError];
}

/** One more frame: 3 bytes of length, 1 of secretstream's tag, 16 of its MAC. */
const FRAME_OVERHEAD = 20;
/** How long a link that said goodbye waits for the other side to finish. */
const LINGER = 2000;
const TCP_KEEPALIVE = 10_000;

/**
 * A secure control link over one TCP connection (docs/protocol.md, section 3):
 * whitening, Noise XX, proof of the network secret both ways, hello, then messages.
 *
 * Ends with exactly one `closed`, whatever happens. Nothing that the other side sends makes it throw.
 */
export class Link extends EventEmitter<LinkEvents> {
  /** We dialled. */
  readonly outbound: boolean;
  /** `address:port` of the other end of the TCP connection. */
  readonly remoteAddress: string;
  /** Unix time in milliseconds of the establishment. */
  since = 0;
  /** Milliseconds, smoothed. */
  rtt: number | undefined;
  readonly #context: LinkContext;
  readonly #raw: ObfuscatedStream;
  readonly #stream: NoiseSecretStream;
  readonly #mux: MuxStream;
  readonly #deadline: NodeJS.Timeout;
  #establishedAt = 0;
  readonly #pings = new Map<number, { sentAt: number; answered: () => void }>();
  #phase: 'noise' | 'proof' | 'open' | 'closed' = 'noise';
  #remote: RemoteEnd | undefined;
  #oldSecret = false;
  #channel: ProtomuxChannel | undefined;
  #pinger: NodeJS.Timeout | undefined;
  #reason: WeftError | undefined;
  #announcedClosing = false;
  #lastHeard = 0;
  #nextPing = 0;
  #offered = 0;

  constructor(socket: Socket, outbound: boolean, context: LinkContext) {
    super();
    this.outbound = outbound;
    this.remoteAddress = remoteAddressOf(socket);
    this.#context = context;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, TCP_KEEPALIVE);
    this.#raw = new ObfuscatedStream(socket);
    this.#stream = new NoiseSecretStream(outbound, this.#raw, {
      keyPair: context.identity,
      enableSend: false,
    });
    this.#mux = new MuxStream(this.#stream, wire.CONTROL_PROTOCOL, wire.MESSAGE_TYPES.length, () =>
      this.#refuse(new WeftError('bad-message', 'a frame was dropped that no weft sends')),
    );
    this.#raw.on('end', () => {
      if (this.#phase !== 'open') this.destroy(HANDSHAKE_CLOSED());
    });
    this.#stream.on('connect', () => this.#onNoise());
    this.#stream.on('data', (frame) => this.#onFrame(frame));
    this.#stream.on('drain', () => this.emit('drain'));
    this.#stream.on('end', () => this.#onEnd());
    this.#stream.on('error', (error) => this.#fail(asLinkError(error, this.#phase)));
    this.#stream.on('close', () => this.#onClose());
    this.#deadline = setTimeout(
      () =>
        this.destroy(
          new WeftError('handshake-timeout', 'the other side did not finish the handshake in time'),
        ),
      context.timings.handshakeTimeout,
    );
  }

  /** Who is there. Only for links that were established. */
  get remote(): RemoteEnd {
    if (this.#remote === undefined) throw new WeftError('link-not-established', 'the link has no peer yet');
    return this.#remote;
  }

  /** Milliseconds since the establishment, whatever is done to the clock. */
  get age(): number {
    return performance.now() - this.#establishedAt;
  }

  get established(): boolean {
    return this.#remote !== undefined;
  }

  /** The other end proved only a secret that is being replaced. Only for links that were established. */
  get oldSecret(): boolean {
    return this.#oldSecret;
  }

  /** Established and not on its way out. */
  get usable(): boolean {
    return this.#remote !== undefined && this.#reason === undefined && !this.#announcedClosing;
  }

  /** Bytes that wait to be sent. */
  get queued(): number {
    return this.#offered - this.#stream.rawBytesWritten + this.#raw.queued;
  }

  /** False when the link is not usable or its queue is full. */
  send(message: wire.LinkMessage): boolean {
    return this.#send(message.type, wire.encodeMessage(message));
  }

  /** Asks for a sign of life; false when none came in time. */
  probe(timeout: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (alive: boolean) => {
        clearTimeout(timer);
        this.off('closed', onClosed);
        resolve(alive);
      };
      const onClosed = () => done(false);
      const timer = setTimeout(() => done(false), timeout);
      this.on('closed', onClosed);
      this.#ping(() => done(true));
    });
  }

  /** Says goodbye and closes once both sides have sent what they had to send. */
  close(bye: number, reason: WeftError): void {
    if (this.#phase !== 'open') {
      this.destroy(reason);
      return;
    }
    if (this.#reason !== undefined) return;
    this.#send('bye', encode(wire.bye, { reason: bye }));
    this.#reason = reason;
    this.#finish(reason);
  }

  /** Closes at once. */
  destroy(reason: WeftError): void {
    if (this.#phase === 'closed') return;
    this.#reason ??= reason;
    this.#stream.destroy();
  }

  /** Noise is done: the other side has the private key of the public key that it showed. The network's secret is next. */
  #onNoise(): void {
    this.#phase = 'proof';
    if (!this.outbound) return;
    const hash = this.#handshakeHash();
    const proofs = this.#context.proofKeys.map((key) => linkProof(key, 'initiator', hash));
    this.#writeProof(wire.PROOF_OFFER, proofs);
  }

  #onFrame(frame: Buffer): void {
    this.#lastHeard = performance.now();
    if (this.#phase === 'open') this.#mux.receive(frame);
    else if (this.#phase === 'proof' && this.#reason === undefined) this.#onProof(frame);
  }

  #onProof(frame: Buffer): void {
    const message = readProof(frame);
    const expected = this.outbound ? wire.PROOF_ANSWER : wire.PROOF_OFFER;
    const sender: ProofRole = this.outbound ? 'responder' : 'initiator';
    const hash = this.#handshakeHash();
    const key =
      message?.kind === expected
        ? matchProof(this.#context.proofKeys, sender, hash, message.proofs)
        : undefined;
    if (key === undefined) {
      this.#onWrongSecret(message?.kind === wire.PROOF_REFUSED);
      return;
    }
    this.#oldSecret = key !== this.#context.proofKeys[0];
    if (!this.outbound) this.#writeProof(wire.PROOF_ANSWER, [linkProof(key, 'responder', hash)]);
    this.#open();
  }

  #onWrongSecret(refusedByOther: boolean): void {
    const who = refusedByOther
      ? 'the other side refused our network secret'
      : 'the other side does not know the network secret';
    this.#reason ??= new WeftError(
      'wrong-secret',
      `${who}: the two hosts belong to different networks, or the secret was replaced while one was away: use the same token or password on both (\`weft token\` on a member shows the present one)`,
    );
    if (!this.outbound) this.#writeProof(wire.PROOF_REFUSED, []);
    this.#stream.end();
    setTimeout(() => this.#stream.destroy(), LINGER).unref();
  }

  #writeProof(kind: number, proofs: readonly Uint8Array[]): void {
    const frame = encode(wire.proofMessage, { kind, proofs });
    this.#offered += frame.length + FRAME_OVERHEAD;
    this.#stream.write(frame);
  }

  /** The other side is a member: messages may flow. */
  #open(): void {
    this.#phase = 'open';
    this.#raw.frameLimit = wire.MAX_MESSAGE_BYTES + FRAME_OVERHEAD;
    const onmessage = (type: wire.MessageType) => (bytes: Uint8Array) => this.#onMessage(type, bytes);
    const channel = new Protomux(this.#mux).createChannel({
      protocol: wire.CONTROL_PROTOCOL,
      handshake: c.raw,
      messages: wire.MESSAGE_TYPES.map((type) => ({ encoding: c.raw, onmessage: onmessage(type) })),
      onopen: (bytes) => this.#onHello(bytes),
    });
    if (channel === null) return;
    this.#channel = channel;
    const greeting = encode(wire.hello, {
      version: wire.LINK_VERSION,
      instance: this.#context.instance,
      observed: this.remoteAddress,
      self: this.#context.selfRecord(),
    });
    this.#offered += greeting.length + wire.CONTROL_PROTOCOL.length + 5 + FRAME_OVERHEAD;
    channel.open(greeting);
  }

  #onHello(bytes: Uint8Array): void {
    try {
      this.#remote = readHello(bytes, this.#stream.remotePublicKey);
    } catch (error) {
      this.destroy(asLinkError(error, 'hello'));
      return;
    }
    clearTimeout(this.#deadline);
    this.since = Date.now();
    this.#establishedAt = performance.now();
    this.#pinger = setInterval(() => this.#onPingTimer(), this.#context.timings.pingInterval);
    this.emit('established', this.#remote);
    this.#ping();
  }

  #onMessage(type: wire.MessageType, bytes: Uint8Array): void {
    try {
      this.#dispatch(type, bytes);
    } catch (error) {
      this.#refuse(asLinkError(error, type));
    }
  }

  #dispatch(type: wire.MessageType, bytes: Uint8Array): void {
    switch (type) {
      case 'ping':
        this.#onPing(decodeExact(wire.ping, bytes));
        break;
      case 'bye':
        this.#onBye(decodeExact(wire.bye, bytes).reason);
        break;
      default:
        this.emit('message', wire.decodeMessage(type, bytes));
    }
  }

  #onBye(reason: number): void {
    const error = BYE_ERRORS[reason] ?? STOPPED;
    this.#reason ??= new WeftError(error.code, error.message);
    this.#finish(this.#reason);
  }

  #onPing({ answer, id }: wire.Ping): void {
    if (answer === 0) {
      this.#send('ping', encode(wire.ping, { answer: 1, id }));
      return;
    }
    const ping = this.#pings.get(id);
    if (ping === undefined) return;
    this.#pings.delete(id);
    const sample = performance.now() - ping.sentAt;
    this.rtt = this.rtt === undefined ? sample : this.rtt + (sample - this.rtt) / 8;
    ping.answered();
  }

  #onPingTimer(): void {
    if (performance.now() - this.#lastHeard > this.#context.timings.linkTimeout) {
      this.destroy(new WeftError('link-timeout', 'the other side has been silent for too long'));
    } else {
      this.#ping();
    }
  }

  #ping(answered: () => void = () => {}): void {
    const id = this.#nextPing++;
    this.#pings.set(id, { sentAt: performance.now(), answered });
    this.#send('ping', encode(wire.ping, { answer: 0, id }));
  }

  #send(type: wire.MessageType, bytes: Uint8Array): boolean {
    const message = this.#channel?.messages[wire.MESSAGE_TYPES.indexOf(type)];
    if (message === undefined || this.#reason !== undefined || this.#phase !== 'open') return false;
    if (this.queued + bytes.length > this.#context.sendQueue) {
      this.#refuse(
        new WeftError('send-queue-full', 'a message was not sent: the other side reads too slowly'),
      );
      return false;
    }
    this.#offered += bytes.length + 2 + FRAME_OVERHEAD;
    message.send(bytes);
    return true;
  }

  /** No more sending; the other side's last messages still come in. */
  #finish(reason: WeftError): void {
    this.#announceClosing(reason);
    this.#stream.end();
    setTimeout(() => this.#stream.destroy(), LINGER).unref();
  }

  #onEnd(): void {
    this.#reason ??= this.established ? PEER_CLOSED() : HANDSHAKE_CLOSED();
    this.#announceClosing(this.#reason);
    this.#stream.end();
  }

  #fail(error: WeftError): void {
    this.#reason ??= error;
  }

  #announceClosing(reason: WeftError): void {
    if (this.#announcedClosing) return;
    this.#announcedClosing = true;
    if (this.established) this.emit('closing', reason);
  }

  #onClose(): void {
    if (this.#phase === 'closed') return;
    const reason = this.#reason ?? (this.established ? PEER_CLOSED() : HANDSHAKE_CLOSED());
    this.#announceClosing(reason);
    this.#phase = 'closed';
    this.#reason = reason;
    clearTimeout(this.#deadline);
    clearInterval(this.#pinger);
    this.emit('closed', reason);
  }

  #refuse(error: WeftError): void {
    this.emit('refused', error);
  }

  #handshakeHash(): Buffer {
    const hash = this.#stream.handshakeHash;
    if (hash === null) throw new WeftError('link-not-established', 'the Noise handshake is not complete');
    return hash;
  }
}

/** Why a router is refused that knows only a secret that is being replaced, and is no member yet. */
export const OLD_SECRET = {
  code: 'old-secret',
  message:
    "the network's secret was replaced and the old one admits nobody new: join with a new token (`weft token` on a member shows it)",
};
const STOPPED = { code: 'peer-stopped', message: 'the peer said goodbye' };
const BYE_ERRORS: Readonly<Record<number, { code: string; message: string }>> = {
  [wire.BYE_STOPPING]: STOPPED,
  [wire.BYE_DUPLICATE]: { code: 'duplicate-link', message: 'another link to the same peer is used instead' },
  [wire.BYE_TOO_MANY_LINKS]: { code: 'surplus-link', message: 'the peer has links enough' },
  [wire.BYE_REMOVED]: {
    code: 'peer-removed',
    message: 'somebody removed this router from the network as dead',
  },
  [wire.BYE_REVOKED]: {
    code: 'revoked',
    message:
      'this router was expelled from the network; its identity is refused for ever: `weft reset`, then join with a new token if its operator is still welcome',
  },
  [wire.BYE_OLD_SECRET]: OLD_SECRET,
  [wire.BYE_CLONED]: COPIED,
};

const PEER_CLOSED = () => new WeftError('peer-closed', 'the connection was closed by the other side');
const HANDSHAKE_CLOSED = () =>
  new WeftError('handshake-closed', 'the connection was closed during the handshake: is it a weft router?');

function readProof(frame: Buffer): wire.ProofMessage | undefined {
  try {
    return decodeExact(wire.proofMessage, frame);
  } catch {
    return undefined;
  }
}

function readHello(bytes: Uint8Array, remoteKey: Buffer | null): RemoteEnd {
  if (bytes[0] !== wire.LINK_VERSION) {
    throw new WeftError(
      'version-mismatch',
      `the other side speaks version ${bytes[0]} of the link protocol, we speak ${wire.LINK_VERSION}: use the same weft on both hosts`,
    );
  }
  const { instance, observed, self } = decodeExact(wire.hello, bytes);
  const record = readRecord(self);
  checkSignature(record);
  const { publicKey } = record.content;
  if (remoteKey === null || !samePublicKey(publicKey, remoteKey)) {
    throw new WeftError('bad-hello', 'the other side introduced itself with a record of somebody else');
  }
  return { publicKey, peer: record.peer, instance: Buffer.from(instance), observed, record };
}

function remoteAddressOf(socket: Socket): string {
  try {
    return formatHostPort(ipHostPort(socket.remoteAddress ?? '', socket.remotePort ?? 0));
  } catch {
    return 'unknown';
  }
}

function asLinkError(error: unknown, where: string): WeftError {
  if (error instanceof WeftError) return error;
  const noise = where === 'noise';
  return new WeftError(
    noise ? 'handshake-failed' : 'link-failed',
    noise
      ? `the handshake failed (${String(error)}): the other side is not a weft router, or somebody changes bytes on the way`
      : `the connection failed: ${String(error)}`,
    { cause: error },
  );
}

import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import NoiseSecretStream from '@hyperswarm/secret-stream';
import c from 'compact-encoding';
import Protomux, { type ProtomuxChannel } from 'protomux';
import { decodeExact, encode } from '../../codec.js';
import { WeftError } from '../../errors.js';
import type { Identity } from '../../identity/index.js';
import { formatHostPort, ipHostPort } from '../../net/index.js';
import type { SignedRecord } from '../membership/index.js';
import { encodeHello, type RemoteEnd, readHello, SecretProof } from './handshake.js';
import {
  asLinkError,
  byeError,
  handshakeClosed,
  handshakeTimeout,
  linkTimeout,
  peerClosed,
} from './link-errors.js';
import { Liveness } from './liveness.js';
import * as wire from './messages.js';
import { MuxStream } from './mux-stream.js';
import { type DialTimings, ObfuscatedStream } from './tcp/index.js';

/** All in milliseconds. */
export interface LinkTimings extends DialTimings {
  /** From an accepted or dialled TCP connection to an established link. */
  readonly handshakeTimeout: number;
  readonly pingInterval: number;
  /** How long a link may be silent before it is dead. */
  readonly linkTimeout: number;
  /** How long a link may take to answer a ping when a second one to the same peer was established. */
  readonly duplicateProbe: number;
}

/** What a link must know of its router. */
export interface LinkContext {
  readonly identity: Identity;
  /** Of the live secrets, newest first. */
  readonly proofKeys: readonly Uint8Array[];
  /** Random for each process; INSTANCE_BYTES long. */
  readonly instance: Uint8Array;
  readonly selfRecord: () => SignedRecord;
  readonly timings: LinkTimings;
  /** Maximum number of bytes that wait to be sent. */
  readonly sendQueue: number;
}

export interface LinkEvents {
  /** Both ends proved the secret and said hello. */
  established: [remote: RemoteEnd];
  message: [message: wire.LinkMessage];
  /** The send queue is empty. */
  drain: [];
  /** Something that the other end sent was dropped. */
  refused: [error: WeftError];
  /** The link cannot send any more; what the other end still sends is received. */
  closing: [reason: WeftError];
  closed: [reason: WeftError];
}

/** What a frame takes beside its content: 3 bytes of length, 1 of secretstream's tag, 16 of its MAC. */
const FRAME_OVERHEAD = 20;
/** How long a link that said bye waits for the other end to finish. */
const LINGER = 2000;
const TCP_KEEPALIVE = 10_000;

/**
 * A secure control link over one TCP connection (docs/protocol.md, section 3):
 * an obfuscated stream, Noise XX, proof of the network secret both ways, hello, then messages.
 *
 * Ends with exactly one `closed`, whatever happens. Nothing that the other end sends makes it throw.
 */
export class Link extends EventEmitter<LinkEvents> {
  /** This router dialled. */
  readonly outbound: boolean;
  /** `address:port` of the other end of the TCP connection. */
  readonly remoteAddress: string;
  /** Unix time in milliseconds at which the link was established. */
  since = 0;
  readonly #context: LinkContext;
  readonly #raw: ObfuscatedStream;
  readonly #stream: NoiseSecretStream;
  readonly #mux: MuxStream;
  readonly #liveness: Liveness;
  readonly #deadline: NodeJS.Timeout;
  #establishedAt = 0;
  #phase: 'noise' | 'proof' | 'open' | 'closed' = 'noise';
  #proof: SecretProof | undefined;
  #remote: RemoteEnd | undefined;
  #oldSecret = false;
  #channel: ProtomuxChannel | undefined;
  #reason: WeftError | undefined;
  #announcedClosing = false;
  /** Bytes that were handed to the stream, as frames. */
  #offered = 0;

  constructor(socket: Socket, outbound: boolean, context: LinkContext) {
    super();
    this.outbound = outbound;
    this.remoteAddress = remoteAddressOf(socket);
    this.#context = context;
    const { identity, timings } = context;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, TCP_KEEPALIVE);
    this.#raw = new ObfuscatedStream(socket);
    this.#stream = new NoiseSecretStream(outbound, this.#raw, { keyPair: identity, enableSend: false });
    this.#mux = new MuxStream(this.#stream, wire.CONTROL_PROTOCOL, wire.MESSAGE_TYPES.length, () =>
      this.#refuse(
        new WeftError(
          'bad-message',
          'a frame was dropped: the other side is not allowed to send such frames',
        ),
      ),
    );
    this.#liveness = new Liveness({
      ...timings,
      send: (ping) => this.#send('ping', encode(wire.ping, ping)),
      onTimeout: () => this.destroy(linkTimeout(timings.linkTimeout)),
    });
    this.#listen();
    this.#deadline = setTimeout(
      () => this.destroy(handshakeTimeout(timings.handshakeTimeout)),
      timings.handshakeTimeout,
    );
  }

  /** The other end. Only for links that were established. */
  get remote(): RemoteEnd {
    if (this.#remote === undefined) throw new WeftError('link-not-established', 'the link has no peer yet');
    return this.#remote;
  }

  /** Milliseconds since the link was established, whatever is done to the clock. */
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

  /** Established, and not about to close. */
  get usable(): boolean {
    return this.#remote !== undefined && this.#reason === undefined && !this.#announcedClosing;
  }

  /** Number of bytes that wait to be sent. */
  get queued(): number {
    return this.#offered - this.#stream.rawBytesWritten + this.#raw.queued;
  }

  /** Round-trip time in milliseconds, smoothed; undefined before the first ping was answered. */
  get rtt(): number | undefined {
    return this.#liveness.rtt;
  }

  /** False when the link is not usable or its queue is full. */
  send(message: wire.LinkMessage): boolean {
    return this.#send(message.type, wire.encodeMessage(message));
  }

  /** Pings the other end; false when no answer came within so many milliseconds. */
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
      this.#liveness.ping(() => done(true));
    });
  }

  /** Says bye, and closes once both ends have sent what they had to send. */
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

  #listen(): void {
    this.#raw.on('end', () => {
      if (this.#phase !== 'open') this.destroy(handshakeClosed());
    });
    this.#stream.on('connect', () => this.#onNoise());
    this.#stream.on('data', (frame) => this.#onFrame(frame));
    this.#stream.on('drain', () => this.emit('drain'));
    this.#stream.on('end', () => this.#onEnd());
    this.#stream.on('error', (error) => {
      this.#reason ??= asLinkError(error, this.#phase);
    });
    this.#stream.on('close', () => this.#onClose());
  }

  /** The Noise handshake is complete; the network secret is proven next. */
  #onNoise(): void {
    const hash = this.#stream.handshakeHash;
    if (hash === null) throw new WeftError('link-not-established', 'the Noise handshake is not complete');
    this.#phase = 'proof';
    this.#proof = new SecretProof(this.outbound, this.#context.proofKeys, hash, (frame) => {
      this.#offered += frame.length + FRAME_OVERHEAD;
      this.#stream.write(frame);
    });
    this.#proof.begin();
  }

  #onFrame(frame: Buffer): void {
    this.#liveness.heard();
    if (this.#phase === 'open') this.#mux.receive(frame);
    else if (this.#phase === 'proof' && this.#reason === undefined) this.#onProof(frame);
  }

  #onProof(frame: Buffer): void {
    try {
      this.#oldSecret = this.#proof?.receive(frame) ?? false;
    } catch (error) {
      this.#reason ??= asLinkError(error, 'proof');
      this.#endStream();
      return;
    }
    this.#open();
  }

  /** The other end is a member: messages may flow, the first of which is its hello. */
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
    const { instance, selfRecord } = this.#context;
    const hello = encodeHello(instance, this.remoteAddress, selfRecord());
    this.#offered += hello.length + wire.CONTROL_PROTOCOL.length + 5 + FRAME_OVERHEAD;
    channel.open(hello);
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
    this.#liveness.start();
    this.emit('established', this.#remote);
    this.#liveness.ping();
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
        this.#liveness.receive(decodeExact(wire.ping, bytes));
        break;
      case 'bye':
        this.#reason ??= byeError(decodeExact(wire.bye, bytes).reason);
        this.#finish(this.#reason);
        break;
      default:
        this.emit('message', wire.decodeMessage(type, bytes));
    }
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

  /** Ends sending; the last messages of the other end still come in. */
  #finish(reason: WeftError): void {
    this.#announceClosing(reason);
    this.#endStream();
  }

  #endStream(): void {
    this.#stream.end();
    setTimeout(() => this.#stream.destroy(), LINGER).unref();
  }

  #onEnd(): void {
    this.#reason ??= this.#closedByPeer();
    this.#announceClosing(this.#reason);
    this.#stream.end();
  }

  #announceClosing(reason: WeftError): void {
    if (this.#announcedClosing) return;
    this.#announcedClosing = true;
    if (this.established) this.emit('closing', reason);
  }

  #onClose(): void {
    if (this.#phase === 'closed') return;
    const reason = this.#reason ?? this.#closedByPeer();
    this.#announceClosing(reason);
    this.#phase = 'closed';
    this.#reason = reason;
    clearTimeout(this.#deadline);
    this.#liveness.stop();
    this.emit('closed', reason);
  }

  #closedByPeer(): WeftError {
    return this.established ? peerClosed() : handshakeClosed();
  }

  #refuse(error: WeftError): void {
    this.emit('refused', error);
  }
}

function remoteAddressOf(socket: Socket): string {
  try {
    return formatHostPort(ipHostPort(socket.remoteAddress ?? '', socket.remotePort ?? 0));
  } catch {
    return 'unknown';
  }
}

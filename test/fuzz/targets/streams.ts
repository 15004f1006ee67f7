import type { Socket } from 'node:net';
import type NoiseSecretStream from '@hyperswarm/secret-stream';
import Protomux from 'protomux';
import { encode } from '../../../src/codec.js';
import { SecretProof } from '../../../src/mesh/link/handshake.js';
import {
  CONTROL_PROTOCOL,
  MESSAGE_TYPES,
  PROOF_OFFER,
  proofMessage,
} from '../../../src/mesh/link/messages.js';
import { MuxStream } from '../../../src/mesh/link/mux-stream.js';
import { linkProof } from '../../../src/mesh/link/proof.js';
import { Keystream, ObfuscatedStream } from '../../../src/mesh/link/tcp/obfuscated-stream.js';
import { Sink } from '../../unit/mesh/link/sink.js';
import { corpus } from '../corpus.js';
import { Fault, type Subject, type Target } from '../target.js';

const NONCE = Buffer.alloc(24, 7);
/** Not the one of the recorded proofs. */
const KEY = Buffer.alloc(32, 11);
const HASH = Buffer.alloc(64, 2);
const OPENING = Buffer.concat([
  Buffer.of(0, 1, 1, CONTROL_PROTOCOL.length),
  Buffer.from(`${CONTROL_PROTOCOL}\0hello`),
]);

/** What a stranger's connection brings before anything is proven, and what a member's does beneath its messages. */
export const STREAM_TARGETS: readonly Target[] = [
  { name: 'obfuscated-stream', seeds: framed(), open: async () => openObfuscated() },
  { name: 'secret-proof', seeds: corpus('proof'), open: async () => openProof() },
  { name: 'protomux', seeds: muxed(), open: async () => openMux() },
];

/** Frames as they are behind the obfuscation: three bytes of length, then the content. */
function framed(): Buffer[] {
  return [...corpus('proof'), ...corpus('hello')].map((content) => {
    const length = Buffer.of(content.length & 0xff, content.length >> 8, 0);
    return Buffer.concat([length, content]);
  });
}

function muxed(): Buffer[] {
  return [
    OPENING,
    ...corpus('ping').map((ping) => Buffer.concat([Buffer.of(1, 0), ping])),
    Buffer.of(0, 3, 1),
  ];
}

/** All input is the plain stream of one connection after another: a new one begins when the other end is given up. */
function openObfuscated(): Subject {
  const connect = () => {
    const wire = new Sink();
    const stream = new ObfuscatedStream(wire as unknown as Socket);
    stream.on('error', () => {});
    wire.emit('data', NONCE);
    return { wire, stream, keystream: new Keystream(NONCE) };
  };
  let end = connect();
  const pass = (input: Buffer) => {
    end.wire.emit('data', end.keystream.apply(input));
    const read: Buffer = (end.stream.read() as Buffer | null) ?? Buffer.alloc(0);
    if (end.stream.destroyed) end = connect();
    else if (!read.equals(input)) throw new Fault('what arrives is not what was sent');
  };
  return {
    take(input) {
      pass(input);
      return [];
    },
    verify() {
      end = connect();
      for (const frame of framed()) pass(frame);
    },
  };
}

function openProof(): Subject {
  const begin = () => new SecretProof(false, [KEY], HASH, () => {});
  return {
    take(input) {
      begin().receive(input);
      throw new Fault('the secret was proven by somebody who does not know it');
    },
    verify() {
      const proofs = [linkProof(KEY, 'initiator', HASH)];
      begin().receive(encode(proofMessage, { kind: PROOF_OFFER, proofs }));
    },
  };
}

/** The filter before Protomux, and Protomux itself. */
function openMux(): Subject {
  const sink = new Sink();
  const stream = new MuxStream(
    sink as unknown as NoiseSecretStream,
    CONTROL_PROTOCOL,
    MESSAGE_TYPES.length,
    () => {},
  );
  const raw = { preencode() {}, encode() {}, decode: (state: { start: number; end: number }) => skip(state) };
  let pings = 0;
  const channel = new Protomux(stream).createChannel({
    protocol: CONTROL_PROTOCOL,
    handshake: raw as never,
    messages: MESSAGE_TYPES.map(() => ({ encoding: raw as never, onmessage: () => pings++ })),
  });
  channel?.open(Buffer.alloc(0) as never);
  return {
    take(input) {
      stream.receive(input);
      if (sink.destroyed) throw new Fault('a frame ended the link');
      return [];
    },
    verify() {
      stream.receive(Buffer.from(OPENING));
      const before = pings;
      stream.receive(Buffer.of(1, 0, 0, 0));
      if (pings === before) throw new Fault('messages do not get through any more');
    },
  };
}

function skip(state: { start: number; end: number }): Buffer {
  state.start = state.end;
  return Buffer.alloc(0);
}

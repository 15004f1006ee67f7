import type NoiseSecretStream from '@hyperswarm/secret-stream';
import fc from 'fast-check';
import Protomux from 'protomux';
import { describe, expect, test } from 'vitest';
import { decodeExact, encode } from '../../../../src/codec.js';
import { WeftError } from '../../../../src/errors.js';
import { identityFromSeed, parseSecret, proofKeyOf } from '../../../../src/identity/index.js';
import * as wire from '../../../../src/mesh/link/messages.js';
import { MuxStream } from '../../../../src/mesh/link/mux-stream.js';
import { linkProof, matchProof } from '../../../../src/mesh/link/proof.js';
import { checkRoutedMessage, routedMessage } from '../../../../src/mesh/link/routed-message.js';
import { Keystream } from '../../../../src/mesh/link/tcp/obfuscated-stream.js';
import { decodeMemberDelta } from '../../../../src/mesh/membership/member-deltas.js';
import { checkSignature, readRecord, signRecord } from '../../../../src/mesh/membership/record.js';
import * as session from '../../../../src/overlay/session/messages.js';
import { bytesOf, hexOf, protocolVectors } from '../../identity/vectors.js';
import { Sink } from './sink.js';

describe('the test vectors of docs/protocol.md, section 3', () => {
  const vector = protocolVectors('3');
  const network = protocolVectors('1');

  test('the key stream that obfuscates a link, in whatever pieces', () => {
    const expected = vector('key stream');
    const keystream = new Keystream(bytesOf(vector('whitening nonce')));
    const pieces = [1, 62, 1, 0, 16].map((length) => keystream.apply(Buffer.alloc(length)));
    expect(hexOf(Buffer.concat(pieces))).toBe(expected);
  });

  test('proofs', () => {
    const key = proofKeyOf(parseSecret(bytesOf(network('network secret'))));
    const hash = bytesOf(vector('handshake hash'));
    expect(hexOf(linkProof(key, 'initiator', hash))).toBe(vector('initiator proof'));
    expect(hexOf(linkProof(key, 'responder', hash))).toBe(vector('responder proof'));
    const proofs = [bytesOf(vector('initiator proof'))];
    expect(hexOf(encode(wire.proofMessage, { kind: wire.PROOF_OFFER, proofs }))).toBe(vector('proof offer'));
  });

  test('member record', () => {
    const identity = identityFromSeed(bytesOf(network('seed')));
    const record = { record: bytesOf(vector('record')), signature: bytesOf(vector('signature')) };
    const read = readRecord(record);
    checkSignature(read);
    expect(read).toMatchObject({
      peer: network('short id'),
      content: { nickname: 'anna', port: 6783, mtu: 1418 },
    });
    expect(hexOf(signRecord(identity, read.content).signature)).toBe(vector('signature'));
  });

  test('messages', () => {
    expect(decodeExact(wire.ping, bytesOf(vector('ping')))).toEqual({ answer: 0, id: 300 });
    expect(decodeExact(wire.unicast, bytesOf(vector('unicast')))).toMatchObject({ channel: 'session' });
    expect(decodeExact(wire.deltas, bytesOf(vector('deltas')))).toMatchObject({ channel: 'names' });
    expect(decodeExact(wire.digest, bytesOf(vector('digest')))).toMatchObject({ answer: true });
    const message = decodeExact(routedMessage, bytesOf(vector('routed')));
    expect(message).toMatchObject({ hopLimit: 64, content: { source: network('short id'), count: 7 } });
    checkRoutedMessage(message, identityFromSeed(bytesOf(network('seed'))).publicKey);
    expect(decodeMemberDelta(bytesOf(vector('suspicion')))).toMatchObject({
      kind: 'suspicion',
      suspicion: { peer: network('short id'), sequence: 2 },
    });
    expect(decodeExact(wire.bye, bytesOf(vector('bye')))).toEqual({ reason: wire.BYE_DUPLICATE });
  });
});

describe('a proof', () => {
  const key = Buffer.alloc(32, 1);
  const hash = Buffer.alloc(64, 2);
  const proof = linkProof(key, 'initiator', hash);

  test('holds for one secret, one role and one handshake', () => {
    expect(matchProof([Buffer.alloc(32, 9), key], 'initiator', hash, [proof])).toBe(key);
    expect(matchProof([Buffer.alloc(32, 9)], 'initiator', hash, [proof])).toBeUndefined();
    expect(matchProof([key], 'responder', hash, [proof])).toBeUndefined();
    expect(matchProof([key], 'initiator', Buffer.alloc(64, 3), [proof])).toBeUndefined();
    expect(matchProof([key], 'initiator', hash, [])).toBeUndefined();
  });
});

describe('decoders', () => {
  const decoders = {
    proof: wire.proofMessage,
    hello: wire.hello,
    ping: wire.ping,
    unicast: wire.unicast,
    bye: wire.bye,
    deltas: wire.deltas,
    digest: wire.digest,
    routed: routedMessage,
    session: session.sessionMessage,
    initiation: session.initiationPayload,
    response: session.responsePayload,
  };

  test.each(
    Object.entries(decoders),
  )('of %s take no bytes but the one encoding of a value, and fail in one way', (_, decoder) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          const value = decodeExact<unknown>(decoder as never, bytes);
          expect(hexOf(encode<unknown>(decoder as never, value))).toBe(hexOf(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(WeftError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the filter before Protomux', () => {
  test('lets nothing through that makes it throw or end the link', () => {
    const opening = Buffer.concat([
      Buffer.of(0, 1, 1, wire.CONTROL_PROTOCOL.length),
      Buffer.from(`${wire.CONTROL_PROTOCOL}\0hello`),
    ]);
    const frame = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 10 }).map((rest) => Buffer.concat([Buffer.of(0), rest])),
      fc.uint8Array({ maxLength: 10 }).map((rest) => Buffer.concat([Buffer.of(1), rest])),
      fc.constant(opening),
    );
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), (frames) => {
        const sink = new Sink();
        const stream = new MuxStream(
          sink as unknown as NoiseSecretStream,
          wire.CONTROL_PROTOCOL,
          1,
          () => {},
        );
        const raw = { preencode() {}, encode() {}, decode: () => Buffer.alloc(0) };
        const channel = new Protomux(stream).createChannel({
          protocol: wire.CONTROL_PROTOCOL,
          handshake: raw,
          messages: [{ encoding: raw, onmessage() {} }],
        });
        channel?.open(Buffer.alloc(0));
        for (const each of frames) stream.receive(Buffer.from(each));
        expect(sink.destroyed).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

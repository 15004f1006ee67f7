import { randomBytes } from 'node:crypto';
import { on, once } from 'node:events';
import { connect, createServer } from 'node:net';
import NoiseSecretStream from '@hyperswarm/secret-stream';
import { describe, expect, test, vi } from 'vitest';
import { decodeExact, encode } from '../../../../src/codec.js';
import { type Identity, identityFromSeed, proofKeyOf } from '../../../../src/identity/index.js';
import * as wire from '../../../../src/mesh/link/messages.js';
import { linkProof } from '../../../../src/mesh/link/proof.js';
import { ObfuscatedStream } from '../../../../src/mesh/link/tcp/obfuscated-stream.js';
import { signRecord } from '../../../../src/mesh/membership/record.js';
import { PROTOCOL_VERSIONS } from '../../../../src/protocol-versions.js';
import { network, startMesh, until } from '../meshes.js';

const OPENING = Buffer.concat([
  Buffer.of(0, 1, 1, wire.CONTROL_PROTOCOL.length),
  Buffer.from(wire.CONTROL_PROTOCOL),
  Buffer.of(0),
]);

/** A member of the network, written by hand from docs/protocol.md, that can say anything. */
async function handmadeMember(
  port: number,
  {
    identity = identityFromSeed(randomBytes(32)),
    instance = randomBytes(8),
    version = PROTOCOL_VERSIONS.link as number,
  } = {},
) {
  const raw = new ObfuscatedStream(connect(port, '127.0.0.1'));
  raw.frameLimit = wire.MAX_MESSAGE_BYTES;
  const stream = new NoiseSecretStream(true, raw, {
    keyPair: identity,
    enableSend: false,
  });
  stream.on('error', () => {});
  const frames = on(stream, 'data');
  const next = async (): Promise<Buffer> => (await frames.next()).value[0];
  await stream.opened;
  const proof = linkProof(
    proofKeyOf(network.secrets[0]),
    'initiator',
    stream.handshakeHash ?? Buffer.alloc(0),
  );
  stream.write(encode(wire.proofMessage, { kind: wire.PROOF_OFFER, proofs: [proof] }));
  await next();
  const self = signRecord(identity, {
    publicKey: identity.publicKey,
    nickname: 'handmade',
    version: '0.1.0',
    incarnation: 1,
    sequence: 0,
    port: 1,
    mtu: 1418,
    endpoints: [],
    features: [],
    ciphers: [],
    links: [],
    left: false,
  });
  const greeting = { version, instance, observed: '127.0.0.1:1', self };
  return { identity, stream, next, opening: Buffer.concat([OPENING, encode(wire.hello, greeting)]) };
}

function identityThat(fits: (identity: Identity) => boolean): Identity {
  for (;;) {
    const identity = identityFromSeed(randomBytes(32));
    if (fits(identity)) return identity;
  }
}

describe('a link', () => {
  test('looks like random bytes from the first one on', async () => {
    const seen: Buffer[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (bytes: Buffer) => {
        seen.push(bytes);
        socket.resetAndDestroy();
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const mesh = await startMesh('anna', { timings: { backoffInitial: 1, backoffMax: 2 } });
    mesh.connect([`127.0.0.1:${port}`]);
    while (seen.length < 16) await once(server, 'connection');
    server.close();
    const shortest = Math.min(...seen.map((bytes) => bytes.length));
    expect(shortest).toBeGreaterThanOrEqual(24);
    for (let at = 0; at < shortest; at++) {
      expect(new Set(seen.map((bytes) => bytes[at])).size).toBeGreaterThan(8);
    }
  });

  test('survives every bad message of a member, counts it, and goes on answering', async () => {
    const mesh = await startMesh('anna');
    const { stream, next, opening } = await handmadeMember(mesh.port);
    const up = once(mesh, 'link-up');
    stream.write(opening);
    await up;
    const junk = [
      Buffer.of(0),
      Buffer.of(0, 0, 1, 3, 1, 2, 3),
      Buffer.of(0, 1, 0, 1, 0x78, 0),
      Buffer.of(0, 1, 9, 1, 0x78, 0),
      Buffer.of(0, 2, 1),
      Buffer.of(0, 3, 1),
      opening,
      Buffer.of(1),
      Buffer.of(1, 253),
      Buffer.of(1, 99, 1),
      Buffer.of(1, 0),
      Buffer.of(1, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255),
      Buffer.of(1, 2, 40),
      Buffer.of(1, 3),
      ...Array.from({ length: 200 }, (_, length) => randomBytes(length)),
      ...Array.from({ length: 200 }, (_, length) =>
        Buffer.concat([Buffer.of(1, length % 3), randomBytes(length)]),
      ),
    ];
    for (const frame of junk) stream.write(frame);
    stream.write(Buffer.concat([Buffer.of(1, 0), encode(wire.ping, { answer: 0, id: 123456 })]));
    for (;;) {
      const frame = await next();
      if (frame[0] !== 1 || frame[1] !== 0) continue;
      const { answer, id } = decodeExact(wire.ping, frame.subarray(2));
      if (answer === 1 && id === 123456) break;
    }
    expect(mesh.links()).toHaveLength(1);
    expect(mesh.counters()['bad-message']).toBeGreaterThan(300);
    stream.destroy();
  });

  test('ends with a router of another version, and says which versions they are', async () => {
    const mesh = await startMesh('anna');
    const { stream, opening } = await handmadeMember(mesh.port, { version: 2 });
    const warned = once(mesh, 'warning');
    stream.write(opening);
    expect((await warned)[0]).toMatchObject({
      code: 'version-mismatch',
      message: expect.stringMatching(/speaks version 2 of the link protocol, this router version 1: .*$/),
    });
    expect(mesh.links()).toEqual([]);
    stream.destroy();
  });

  test('ends at a frame that is too large, before memory is taken for it', async () => {
    const mesh = await startMesh('anna');
    const { stream, opening } = await handmadeMember(mesh.port);
    const up = once(mesh, 'link-up');
    stream.write(opening);
    await up;
    const down = once(mesh, 'link-down');
    stream.write(Buffer.alloc(2 * 1024 * 1024));
    expect((await down)[1]).toMatchObject({ code: 'frame-too-large' });
  });

  test('does not let a member introduce itself with the record of another', async () => {
    const mesh = await startMesh('anna');
    const [one, two] = [await handmadeMember(mesh.port), await handmadeMember(mesh.port)];
    const warned = until(mesh, ['warning'], () => (mesh.counters()['bad-hello'] ?? 0) > 0);
    one.stream.write(two.opening);
    await warned;
    expect(mesh.links()).toEqual([]);
    two.stream.destroy();
  });

  test.each([
    ['the lower', -1],
    ['the higher', 1],
  ])('is one of a few at most to a member that makes more and more of them, and has %s key', async (_, order) => {
    const self = identityFromSeed(randomBytes(32));
    const mesh = await startMesh('anna', { identity: self });
    const identity = identityThat(({ publicKey }) => Buffer.compare(publicKey, self.publicKey) === order);
    const instance = randomBytes(8);
    let open = 0;
    for (let made = 0; made < 12; made += 1) {
      const { stream, opening } = await handmadeMember(mesh.port, { identity, instance });
      open += 1;
      stream.once('close', () => {
        open -= 1;
      });
      stream.write(opening);
    }
    await vi.waitUntil(() => open <= 4, { timeout: 10_000 });
    await mesh.stop();
  });

  test('takes no more to send than fits its queue, and is dropped when the other side is silent for too long', async () => {
    const mesh = await startMesh('anna', {
      limits: { sendQueue: 1024 * 1024 },
      timings: { pingInterval: 50, linkTimeout: 300 },
    });
    const { identity, stream, opening } = await handmadeMember(mesh.port);
    const up = once(mesh, 'link-up');
    stream.write(opening);
    await up;
    stream.pause();
    const down = once(mesh, 'link-down');
    const message = Buffer.alloc(64 * 1024);
    let sent = 0;
    while (mesh.send(identity.peer, 'x', message)) sent += 1;
    expect(sent).toBeGreaterThanOrEqual(15);
    expect(sent).toBeLessThan(200);
    expect(mesh.counters()['send-queue-full']).toBe(1);
    expect((await down)[1]).toMatchObject({ code: 'link-timeout' });
    stream.destroy();
  });
});

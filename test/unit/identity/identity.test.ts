import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WeftError } from '../../../src/errors.js';
import {
  encodeToken,
  identityFromSeed,
  liveSecrets,
  loadNetwork,
  loadOrCreateIdentity,
  networkFromPassword,
  networkFromToken,
  newNetwork,
  parsePeerId,
  parsePublicKey,
  parseSecret,
  parseToken,
  proofKeyOf,
  saveNetwork,
} from '../../../src/identity/index.js';
import { bytesOf, hexOf, protocolVectors } from './vectors.js';

let stateDir = '';
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'weft-identity-'));
});
afterEach(() => rm(stateDir, { recursive: true }));

describe('the test vectors of docs/protocol.md', () => {
  test('section 1: identities and networks', async () => {
    const vector = protocolVectors('1');
    const identity = identityFromSeed(bytesOf(vector('seed')));
    expect(hexOf(identity.publicKey)).toBe(vector('public key'));
    expect(identity.peer).toBe(vector('short id'));
    const secret = parseSecret(bytesOf(vector('network secret')));
    expect(networkFromToken({ secret, addresses: [] }).id).toBe(vector('network id'));
    expect(hexOf(proofKeyOf(secret))).toBe(vector('proof key'));
    const bound = liveSecrets({ secrets: [secret], admin: identity.publicKey })[0];
    expect(hexOf(bound)).toBe(vector('secret with administrator'));
    const { secrets } = await networkFromPassword(vector('password'));
    expect(hexOf(secrets[0])).toBe(vector('password secret'));
  });

  test('section 5: token', () => {
    const vector = protocolVectors('5');
    const secret = parseSecret(bytesOf(vector('network secret')));
    const addresses = vector('addresses').split(' ');
    expect(encodeToken({ secret, addresses })).toBe(vector('token'));
    expect(parseToken(vector('token'))).toEqual({ secret, addresses });
    const admin = parsePublicKey(bytesOf(protocolVectors('1')('public key')));
    const [generation, epoch] = [Number(vector('generation')), Number(vector('epoch'))];
    const network = { id: vector('network id'), generation, epoch, admin };
    expect(encodeToken({ secret, network, addresses })).toBe(vector('token with administrator'));
  });
});

describe('the key pair on disk', () => {
  test('is made at the first launch, private, and the same ever after', async () => {
    const first = await loadOrCreateIdentity(join(stateDir, 'deep'));
    expect(await loadOrCreateIdentity(join(stateDir, 'deep'))).toEqual(first);
    expect((await stat(join(stateDir, 'deep', 'identity.json'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(stateDir, 'deep'))).mode & 0o777).toBe(0o700);
  });

  test('is made private again when others could read it', async () => {
    await loadOrCreateIdentity(stateDir);
    await chmod(join(stateDir, 'identity.json'), 0o644);
    await loadOrCreateIdentity(stateDir);
    expect((await stat(join(stateDir, 'identity.json'))).mode & 0o777).toBe(0o600);
  });

  const otherSeed = hexOf(Buffer.alloc(32, 1));
  const otherKey = hexOf(identityFromSeed(Buffer.alloc(32, 1)).publicKey);
  test.each([
    ['no JSON', () => 'hello'],
    ['nothing', () => ''],
    ['half of it', (whole: string) => whole.slice(0, whole.length / 2)],
    ['another public key', (whole: string) => JSON.stringify({ ...JSON.parse(whole), publicKey: otherKey })],
    ['another seed', (whole: string) => JSON.stringify({ ...JSON.parse(whole), seed: otherSeed })],
    ['a short seed', (whole: string) => JSON.stringify({ ...JSON.parse(whole), seed: '00' })],
    ['a list', () => '[]'],
  ])('is refused, and left as it is, when the file holds %s', async (_, damage) => {
    const path = join(stateDir, 'identity.json');
    await loadOrCreateIdentity(stateDir);
    const damaged = damage(await readFile(path, 'utf8'));
    await writeFile(path, damaged);
    await expect(loadOrCreateIdentity(stateDir)).rejects.toMatchObject({ code: 'file-corrupt' });
    expect(await readFile(path, 'utf8')).toBe(damaged);
  });
});

describe('the network on disk', () => {
  test('comes back as it was saved, private', async () => {
    expect(await loadNetwork(stateDir)).toBeUndefined();
    for (const admin of [undefined, identityFromSeed(Buffer.alloc(32)).publicKey]) {
      const network = newNetwork(admin);
      await saveNetwork(stateDir, network);
      expect(await loadNetwork(stateDir)).toEqual(network);
    }
    expect((await stat(join(stateDir, 'network.json'))).mode & 0o777).toBe(0o600);
  });

  test.each([
    '{}',
    '{"mode":"token","secrets":[],"created":"2026-01-01"}',
    '{"mode":"x","secrets":["aa"]}',
    'null',
  ])('is refused when it is damaged: %s', async (text) => {
    await writeFile(join(stateDir, 'network.json'), text, { mode: 0o600 });
    await expect(loadNetwork(stateDir)).rejects.toMatchObject({ code: 'file-corrupt' });
  });

  test('is the same for the same password, and another for another', async () => {
    const [one, two, other] = await Promise.all(['secret', 'secret', 'Secret'].map(networkFromPassword));
    expect(one?.id).toBe(two?.id);
    expect(one?.id).not.toBe(other?.id);
    await expect(networkFromPassword('')).rejects.toMatchObject({ code: 'bad-password' });
  });
});

describe('a token', () => {
  const token = encodeToken({ secret: parseSecret(Buffer.alloc(32, 7)), addresses: ['192.0.2.1:6783'] });

  test.each([
    ['weft2', { id: '0123456789abcdef', generation: 2 ** 32 - 1, epoch: 0 }],
    ['weft3', { id: '0123456789abcdef', generation: 0, epoch: 1 }],
    [
      'weft3',
      {
        id: '0123456789abcdef',
        generation: 3,
        epoch: 0,
        admin: identityFromSeed(Buffer.alloc(32)).publicKey,
      },
    ],
  ])('%s says which network it is of', (version, network) => {
    const whole = { secret: parseSecret(Buffer.alloc(32, 7)), network, addresses: ['192.0.2.1:6783'] };
    const text = encodeToken(whole);
    expect(text.startsWith(version)).toBe(true);
    expect(parseToken(text)).toEqual(whole);
  });

  test('survives blanks around it', () => {
    expect(parseToken(` ${token}\n`).addresses).toEqual(['192.0.2.1:6783']);
  });

  test('with another administrator is of another network', () => {
    const [one, other] = [1, 2].map((fill) => identityFromSeed(Buffer.alloc(32, fill)).publicKey);
    const network = newNetwork(one);
    const asked = { ...network, admin: other as NonNullable<typeof other> };
    expect(liveSecrets(asked)[0].equals(liveSecrets(network)[0])).toBe(false);
    expect(liveSecrets(network)[0].equals(network.secrets[0])).toBe(false);
  });

  test.each([
    ['token-prefix', 'hello'],
    ['token-prefix', ''],
    ['token-version', token.replace('weft1', 'weft9')],
    ['token-truncated', token.slice(0, -1)],
    ['token-truncated', token.slice(0, 20)],
    ['token-truncated', 'weft1'],
    ['token-mistyped', `${token}AA`],
    ['token-mistyped', token.replace(/.$/, '!')],
    ['token-mistyped', `${token.slice(0, 20)}${token[20] === 'A' ? 'B' : 'A'}${token.slice(21)}`],
  ])('is refused with %s: %s', (code, text) => {
    expect(() => parseToken(text)).toThrow(expect.objectContaining({ code }));
  });

  test('holds any addresses, and no text makes its parser fail in another way', () => {
    const port = fc.integer({ min: 1, max: 65_535 });
    const address = fc.oneof(
      fc.tuple(fc.ipV4(), port).map(([host, each]) => `${host}:${each}`),
      fc.tuple(fc.domain(), port).map(([host, each]) => `${host.toLowerCase()}:${each}`),
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.array(address, { maxLength: 16 }),
        (bytes, addresses) => {
          const secret = parseSecret(bytes);
          expect(parseToken(encodeToken({ secret, addresses }))).toEqual({ secret, addresses });
        },
      ),
      { numRuns: 200 },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String().map((text) => `weft1${text}`),
        ),
        (text) => {
          expect(() => parseToken(text)).toThrow(WeftError);
        },
      ),
    );
  });
});

test('a peer id is 16 hexadecimal digits', () => {
  expect(parsePeerId('03774659456671EC')).toBe('03774659456671ec');
  expect(() => parsePeerId('03774659456671e')).toThrow(expect.objectContaining({ code: 'bad-peer-id' }));
});

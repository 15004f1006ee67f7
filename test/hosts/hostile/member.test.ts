import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Rotation } from '../../../src/api/index.js';
import {
  encodeToken,
  type Identity,
  identityFromSeed,
  type PeerId,
  parsePeerId,
  parseSecret,
  parseToken,
  peerIdFromBytes,
} from '../../../src/identity/index.js';
import type { Content } from '../../../src/trust/index.js';
import { encodeStatement, makeStatement } from '../../../src/trust/statement.js';
import { type Host, type Lab, lasting, type Running, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { peersOf } from '../members/members.js';
import { counters, refusals } from '../pair.js';

const LIAR = fileURLToPath(new URL('liar.ts', import.meta.url));
const [liar, throwAway] = [7, 8].map((seed) => identityFromSeed(Buffer.alloc(32, seed))) as [
  Identity,
  Identity,
];

const LONG_AGO = { epoch: 0, time: 0 };

async function linked(a: Host, b: Host): Promise<void> {
  await until(`${a.name} and ${b.name} are linked`, async () =>
    (await peersOf(a)).some(({ nickname, state }) => nickname === b.name && state === 'linked'),
  );
}

/** Two good hosts, and one of whoever joined once. */
async function withLiar(lab: Lab, args: (first: Host) => string[] = () => []) {
  const [a, b, bad] = await lab.hosts(3);
  await a.launch({ args: args(a) });
  await b.launch({ token: await a.token() });
  await linked(a, b);
  return { a, b, bad };
}

/** Joins and says all this; goes on until it is stopped. */
async function lie(bad: Host, a: Host, deltas: readonly Uint8Array[]): Promise<Running> {
  const input = JSON.stringify({
    token: await a.token(),
    target: a.address,
    seed: Buffer.alloc(32, 7).toString('hex'),
    deltas: deltas.map((delta) => Buffer.from(delta).toString('hex')),
  });
  const running = bad.start([process.execPath, '--import', 'tsx', LIAR], { input });
  await running.says(/linked/, 30_000);
  return running;
}

function madeUp(count: number, by: Identity): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const subject = Buffer.alloc(8);
    subject.writeUInt32BE(index);
    return encodeStatement(
      makeStatement(
        by,
        { kind: 'revoked', subject: peerIdFromBytes(subject), name: '', heir: by.peer },
        LONG_AGO,
      ),
    );
  });
}

const idOf = async (host: Host) => parsePeerId((await host.report()).status.peer);

async function rotationIsOver(...hosts: readonly Host[]): Promise<void> {
  await until('the new secret is everywhere', async () => {
    const all = await Promise.all(hosts.map(async (host) => (await host.report()).status.network.rotation));
    return all.every((rotation) => rotation === null);
  });
}

describe('whoever joined once', () => {
  const world = onLab((lab) => withLiar(lab));

  beforeAll(async () => {
    const { a, bad } = world();
    const before = await refusals(a);
    const marker = peerIdFromBytes(Buffer.alloc(8, 0xee));
    const liesOf = (by: Identity) => [
      ...madeUp(16_384, by),
      encodeStatement(
        makeStatement(
          by,
          { kind: 'rotated', generation: 2 ** 32 - 1, secret: parseSecret(Buffer.alloc(32)) },
          LONG_AGO,
        ),
      ),
      encodeStatement(makeStatement(by, { kind: 'finished', generation: 2 ** 32 - 1 }, LONG_AGO)),
      encodeStatement(
        makeStatement(
          by,
          { kind: 'revoked', subject: marker, name: 'the last lie', heir: by.peer },
          LONG_AGO,
        ),
      ),
    ];
    const removal = {
      kind: 'removed',
      subject: await idOf(world().b),
      name: '',
      heir: liar.peer,
      incarnation: 2 ** 52,
    } as const;
    const attack = await lie(bad, a, [
      encodeStatement(makeStatement(liar, removal, LONG_AGO)),
      ...liesOf(throwAway),
      ...liesOf(liar),
    ]);
    await until(
      'the lies are refused or believed',
      async () => {
        const peers = await peersOf(a);
        const believed = peers.filter(({ state }) => state === 'revoked').length;
        return believed > 16_000 || ((await refusals(a)) > before && believed >= 1024);
      },
      { within: 60_000 },
    );
    expect(attack.alive).toBe(true);
  });

  test('cannot ban another member with a removal of any incarnation', async () => {
    const { a, b } = world();
    await linked(a, b);
    await b.weft('stop');
    await b.launch();
    await linked(a, b);
  });

  test('keeps nobody from expelling it, however much it makes up', async () => {
    const { a, b } = world();
    await a.weft('peer', 'revoke', liar.peer);
    for (const host of [a, b]) {
      await until(`${host.name} expelled it`, async () =>
        (await peersOf(host)).some(({ peer, state }) => peer === liar.peer && state === 'revoked'),
      );
    }
    await until('its link is gone', async () =>
      (await a.report()).connections.every(({ peer }) => peer !== liar.peer),
    );
  });

  test('keeps nobody from replacing the secret, also after a restart', async () => {
    const { a, b } = world();
    expect(await a.weftJson<Rotation>('token', 'rotate')).toMatchObject({ generation: 1 });
    await rotationIsOver(a, b);
    await a.weft('stop');
    await a.launch();
    await linked(a, b);
    expect(await a.weftJson<Rotation>('token', 'rotate')).toMatchObject({ generation: 2 });
    await rotationIsOver(a, b);
    for (const host of [a, b]) {
      expect((await peersOf(host)).find(({ peer }) => peer === liar.peer)?.state).toBe('revoked');
    }
  });
});

describe('whoever expels all others', () => {
  const world = onLab((lab) => withLiar(lab));

  test('is out once the operator has reset trust and given the others the new token', async () => {
    const { a, b, bad } = world();
    const c1 = await a.container('c1', '10.32.0.1/24');
    const c2 = await b.container('c2', '10.32.0.2/24');
    await c1.reaches(c2.address);
    const { status } = await a.report();
    const subjects = [await idOf(a), await idOf(b)];
    const revoke = (subject: PeerId) =>
      encodeStatement(makeStatement(liar, { kind: 'revoked', subject, name: '', heir: liar.peer }, LONG_AGO));
    const attack = await lie(bad, a, subjects.map(revoke));
    await until('they refuse each other', async () =>
      (await a.report()).connections.every(({ peer }) => peer !== subjects[1]),
    );

    const text = await a.weft('token', 'rotate', '--reset-trust');
    expect(text).toContain('weft stop && weft launch --token weft3');
    await attack.says(/cut off/);
    await b.weft('stop');
    await b.launch({ token: await a.token() });
    await linked(a, b);
    await c1.reaches(c2.address);
    const after = await a.report();
    expect(after.status).toMatchObject({ peer: status.peer, pid: status.pid });
    expect(after.status.network.id).toBe(status.network.id);
    expect([await idOf(a), await idOf(b)]).toEqual(subjects);
    await lasting(3);
    for (const host of [a, b]) {
      const peers = await peersOf(host);
      expect(peers.map(({ state }) => state).sort()).toEqual(['linked', 'self']);
    }
    expect(await a.weftJson<Rotation>('token', 'rotate')).toMatchObject({ generation: 1 });
    await rotationIsOver(a, b);
  });
});

describe('in a network with an administrator', () => {
  const keyOf = (first: Host) => join(first.directory, 'away', 'admin.json');
  const world = onLab((lab) => withLiar(lab, (first) => ['--admin', '--admin-key', keyOf(first)]));

  test('a member expels, removes and rotates nothing', async () => {
    const { a, b, bad } = world();
    const about = { subject: await idOf(b), name: '', heir: liar.peer };
    const contents: Content[] = [
      { kind: 'revoked', ...about },
      { kind: 'removed', ...about, incarnation: 2 ** 43 },
      { kind: 'rotated', generation: 1, secret: parseSecret(Buffer.alloc(32)) },
    ];
    const before = (await counters(a))['void-statement'] ?? 0;
    await lie(
      bad,
      a,
      contents.map((content) => encodeStatement(makeStatement(liar, content, LONG_AGO))),
    );
    await until('all of it is refused', async () => {
      return ((await counters(a))['void-statement'] ?? 0) >= before + contents.length;
    });
    await linked(a, b);
    expect((await a.report()).status.network.rotation).toBeNull();

    for (const command of [
      ['peer', 'revoke', liar.peer],
      ['rmpeer', liar.peer],
      ['token', 'rotate'],
      ['token', 'rotate', '--reset-trust'],
    ]) {
      const { code, stderr } = await a.tryWeft(...command);
      expect([code, stderr.trim().split('\n')]).toEqual([1, [expect.stringContaining('--admin-key FILE')]]);
    }
  });

  test('its key does so on whichever host, and is kept on none', async () => {
    const { a, b } = world();
    const key = keyOf(a);
    expect(await b.weft('status')).toMatch(/network .*token, with an administrator/);
    await b.weft('peer', 'revoke', liar.peer, '--admin-key', key);
    for (const host of [a, b]) {
      await until(`${host.name} expelled it`, async () =>
        (await peersOf(host)).some(({ peer, state }) => peer === liar.peer && state === 'revoked'),
      );
    }
    await b.weft('token', 'rotate', '--admin-key', key);
    await rotationIsOver(a, b);
    const before = await idOf(a);
    await a.weft('token', 'rotate', '--reset-trust', '--admin-key', key);
    await b.weft('stop');
    await b.launch({ token: await a.token() });
    await linked(a, b);
    expect(await idOf(a)).toBe(before);
    const { seed } = JSON.parse(readFileSync(key, 'utf8'));
    for (const host of [a, b])
      expect(await host.attempt(['grep', '-r', seed, ...directoriesOf(host)])).toMatchObject({ code: 1 });
  });

  test('whoever puts another key into the token joins nothing', async () => {
    const { a, bad } = world();
    const { network, ...token } = parseToken(await a.token());
    if (network === undefined) throw new Error('the token tells no administrator');
    const forged = encodeToken({ ...token, network: { ...network, admin: liar.publicKey } });
    await bad.launch({ token: forged });
    await until('it is refused', async () =>
      (await bad.report()).targets.some(({ lastError }) => lastError?.code === 'wrong-secret'),
    );
    await bad.weft('reset');
  });
});

const directoriesOf = (host: Host) => [host.runDirectory, host.stateDirectory];

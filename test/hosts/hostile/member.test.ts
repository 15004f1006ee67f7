import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Rotation } from '../../../src/api/index.js';
import {
  type Identity,
  identityFromSeed,
  parsePeerId,
  parseSecret,
  peerIdFromBytes,
} from '../../../src/identity/index.js';
import { encodeStatement, makeStatement } from '../../../src/trust/statement.js';
import { type Host, type Running, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { peersOf } from '../members/members.js';
import { refusals } from '../pair.js';

const LIAR = fileURLToPath(new URL('liar.ts', import.meta.url));
const [liar, throwAway] = [7, 8].map((seed) => identityFromSeed(Buffer.alloc(32, seed))) as [
  Identity,
  Identity,
];

/** Two good hosts, and one of whoever joined once. */
const world = onLab(async (lab) => {
  const [a, b, bad] = await lab.hosts(3);
  await a.launch();
  await b.launch({ token: await a.token() });
  await linked(a, b);
  return { a, b, bad };
});

async function linked(a: Host, b: Host): Promise<void> {
  await until(`${a.name} and ${b.name} are linked`, async () =>
    (await peersOf(a)).some(({ nickname, state }) => nickname === b.name && state === 'linked'),
  );
}

/** Joins and says all this; goes on until it is stopped. */
async function lie(deltas: readonly Uint8Array[]): Promise<Running> {
  const { a, bad } = world();
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
      makeStatement(by, { kind: 'revoked', subject: peerIdFromBytes(subject), name: '' }, 0),
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
  beforeAll(async () => {
    const { a } = world();
    const before = await refusals(a);
    const marker = peerIdFromBytes(Buffer.alloc(8, 0xee));
    const liesOf = (by: Identity) => [
      ...madeUp(16_384, by),
      encodeStatement(
        makeStatement(
          by,
          { kind: 'rotated', generation: 2 ** 32 - 1, secret: parseSecret(Buffer.alloc(32)) },
          0,
        ),
      ),
      encodeStatement(makeStatement(by, { kind: 'finished', generation: 2 ** 32 - 1 }, 0)),
      encodeStatement(makeStatement(by, { kind: 'revoked', subject: marker, name: 'the last lie' }, 0)),
    ];
    const removal = {
      kind: 'removed',
      subject: await idOf(world().b),
      name: '',
      incarnation: 2 ** 52,
    } as const;
    const attack = await lie([
      encodeStatement(makeStatement(liar, removal, 0)),
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

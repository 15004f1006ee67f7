import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Peer, Rotation } from '../../../src/api/index.js';
import { Exchange, type Host, lasting, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { peersOf } from './members.js';

/** Three routers on one wire, each linked to each, and a container on the first two. */
const world = onLab(async (lab) => {
  const wire = await lab.wire();
  const [a, b, c] = [await lab.host(wire), await lab.host(wire), await lab.host(wire)];
  await a.launch();
  const token = await a.token();
  for (const host of [b, c]) await host.launch({ token });
  const [c1, c2] = [await a.container('c1', '10.32.0.1/24'), await b.container('c2', '10.32.0.2/24')];
  const c3 = await c.container('c3', '10.32.0.3/24');
  await c1.reaches(c2.address);
  await c1.reaches(c3.address);
  await linked(a, b, c);
  return { lab, wire, a, b, c, c1, c2, c3, token };
});

/** Waits until each of these is linked to each other. */
async function linked(...hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    await until(`${host.name} is linked to the others`, async () => {
      const peers = await peersOf(host);
      return hosts.every((other) =>
        peers.some(
          ({ nickname, state }) => nickname === other.name && (state === 'linked' || state === 'self'),
        ),
      );
    });
  }
}

async function stateOf(host: Host, nickname: string): Promise<Peer['state'] | undefined> {
  const peers = await peersOf(host);
  return peers.find((peer) => peer.nickname === nickname)?.state;
}

async function lastErrors(host: Host): Promise<string> {
  return (await host.report()).targets.map(({ lastError }) => lastError?.message ?? '').join('\n');
}

describe('a new secret', () => {
  test('comes to all members while traffic flows, and the old token joins nobody', async () => {
    const { lab, wire, a, b, c, c1, c2, token } = world();
    const exchange = await Exchange.start(c1, c2, c2.address, 0);
    const before = (await a.report()).status.network.id;
    expect(await a.weft('token', 'rotate')).toContain('weft launch --token weft2');
    await until('the old secret is good no more', async () => {
      const networks = await Promise.all([a, b, c].map(async (host) => (await host.report()).status.network));
      return networks.every(({ id, rotation }) => id === before && rotation === null);
    });
    const secrets = [a, b, c].map((host) => readFileSync(join(host.stateDirectory, 'network.json'), 'utf8'));
    expect(new Set(secrets.map((text) => JSON.parse(text).secrets.join())).size).toBe(1);
    expect(statSync(join(a.stateDirectory, 'trust.json')).mode & 0o777).toBe(0o600);

    const late = await lab.host(wire);
    await late.launch({ token });
    await until('the old token is refused with the remedy', async () =>
      (await lastErrors(late)).includes('use the same token'),
    );
    await late.weft('reset');
    await late.launch({ token: await b.token() });
    await linked(a, b, c, late);
    expect((await late.report()).status.network.id).toBe(before);
    await late.weft('reset');

    const [left, right] = await exchange.stop();
    expect(left.received).toBe(right.sent);
    expect(left.receivedChecksum).toBe(right.sentChecksum);
    expect(Math.max(left.longestGap, right.longestGap)).toBeLessThan(1);
  });

  test('waits for a member that is away, until it is told not to; then that one joins again with a new token', async () => {
    const { a, b, c, c1, c3 } = world();
    process.kill(c.daemon, 'SIGKILL');
    await until('the link to c is gone', async () => (await stateOf(a, c.name)) !== 'linked');
    const { waiting } = await a.weftJson<Rotation>('token', 'rotate');
    await until('only c is waited for', async () => {
      const rotation = (await a.report()).status.network.rotation;
      return rotation?.waiting.length === 1 && rotation.waiting[0]?.nickname === c.name;
    });
    expect(waiting.map(({ nickname }) => nickname)).toContain(c.name);
    expect((await a.tryWeft('token', 'rotate')).stderr).toContain(c.name);
    expect(await a.weft('status')).toContain(`waiting for ${c.name}`);
    await c.launch();
    await linked(a, b, c);
    await until('c has it, too', async () => (await a.report()).status.network.rotation === null);

    process.kill(c.daemon, 'SIGKILL');
    await until('the link to c is gone', async () => (await stateOf(a, c.name)) !== 'linked');
    await a.weft('token', 'rotate');
    await b.weft('token', 'rotate', '--finish');
    await until('a heard of it', async () => (await a.report()).status.network.rotation === null);
    await c.launch();
    await until('c is told what to do', async () =>
      (await lastErrors(c)).includes('`weft token` on a member'),
    );
    await c.weft('stop');
    await c.launch({ token: await b.token() });
    await linked(a, b, c);
    await c1.reaches(c3.address);
  });

  test('is not for a network with a password', async () => {
    const { lab, wire } = world();
    const host = await lab.host(wire);
    await host.launch({ password: 'correct horse battery staple' });
    const { code, stderr } = await host.tryWeft('token', 'rotate');
    expect(code).toBe(1);
    expect(stderr).toContain('password');
    await host.weft('reset');
  });
});

describe('a dead router', () => {
  test('is removed once, is forgotten by all, and may come back', async () => {
    const { lab, wire, a, b, c } = world();
    const d = await lab.host(wire);
    await d.launch({ token: await a.token() });
    await linked(a, b, c, d);
    const refused = await a.tryWeft('rmpeer', d.name);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('is alive');
    const { peer } = (await d.report()).status;
    for (const pid of d.processes()) process.kill(pid, 'SIGKILL');
    await d.isQuiet();
    await until('d can be removed', async () => (await a.tryWeft('rmpeer', d.name)).code === 0, {
      within: 60_000,
    });
    for (const host of [a, b, c]) {
      await until(`${host.name} forgot d`, async () => (await stateOf(host, d.name)) === undefined);
    }
    const again = await b.tryWeft('rmpeer', peer);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('already');
    await d.launch();
    await linked(a, b, c, d);
    await d.weft('reset');
  });
});

describe('a second host with the same identity', () => {
  test('is told so, and how to get its own, while the first goes on', async () => {
    const { lab, wire, a, b, c1, c2 } = world();
    const clone = await lab.host(wire);
    await clone.run(['mkdir', '-p', clone.stateDirectory]);
    await clone.run([
      'cp',
      join(b.stateDirectory, 'identity.json'),
      join(b.stateDirectory, 'network.json'),
      clone.stateDirectory,
    ]);
    await clone.launch({ peers: [a] });
    await until('the clone is told', async () => (await lastErrors(clone)).includes('weft reset'), {
      within: 20_000,
    });
    await lasting(3);
    await c1.reaches(c2.address);
    expect((await a.report()).counters.mesh['identity-cloned']).toBeGreaterThan(0);
    for (const host of [a, b, clone]) {
      const lines = readFileSync(join(host.runDirectory, 'daemon.log'), 'utf8').split('\n');
      expect(
        lines.filter((line) => line.includes('identity-cloned') && line.includes('"warn"')),
      ).toHaveLength(1);
    }
    await clone.weft('reset');
  });
});

describe('an expelled router', () => {
  test('is refused by every router, for ever, and its traffic ends', async () => {
    const { a, b, c, c1, c2, c3 } = world();
    const { peer } = (await c.report()).status;
    const text = await a.weft('peer', 'revoke', c.name);
    expect(text).toContain('weft token rotate');
    for (const host of [a, b]) {
      await until(`${host.name} expelled c`, async () => (await stateOf(host, c.name)) === 'revoked');
      expect(await host.weft('peer', 'ls')).toMatch(new RegExp(`${c.name} .*revoked`));
      await until(`${host.name} has no keys of c`, async () =>
        (await host.report()).connections.every((connection) => connection.peer !== peer),
      );
    }
    await until('c is told', async () => (await lastErrors(c)).includes('expelled'), { within: 20_000 });
    await expect(c3.run(['ping', '-c', '2', '-W', '1', c1.address])).rejects.toThrow();
    await c1.reaches(c2.address);

    await b.weft('stop');
    await b.launch();
    await linked(a, b);
    expect(await stateOf(b, c.name)).toBe('revoked');
    await c.weft('connect', b.address);
    await until(
      'b refuses it, too',
      async () => {
        const { targets } = await c.report();
        return targets.some(
          ({ target, lastError }) => target.startsWith(b.address) && lastError?.code === 'revoked',
        );
      },
      { within: 20_000 },
    );
    expect((await b.report()).connections.map((connection) => connection.peer)).not.toContain(peer);
  });

  test('joins again as somebody else', async () => {
    const { a, b, c } = world();
    await c.weft('reset');
    await c.launch({ token: await a.token() });
    await linked(a, b, c);
  });
});

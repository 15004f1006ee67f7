import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Host, lasting, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { allLinked, onTwoWires, peersOf } from './members.js';

const LONG = process.env.WEFT_LONG === '1';
/** How many routers there are, half of them on each of two wires. */
const SIZE = 12;
const RESTARTS = LONG ? 50 : 3;
const PARTITION = 60;
const LOSSY = LONG ? 300 : 10;
const TIMEOUT = LONG ? 900_000 : 240_000;

const world = onLab(async (lab) => {
  const mesh = await onTwoWires(lab, SIZE);
  const { hosts, token, seeds: peers } = mesh;
  // Two at a time: twelve on two cores would keep whatever runs beside them from its own deadlines.
  for (let i = 0; i < SIZE; i += 2)
    await Promise.all(hosts.slice(i, i + 2).map((host) => host.launch({ token, peers })));
  await allLinked(hosts, 30_000);
  return mesh;
});

const stateOf = async (host: Host, of: Host) =>
  (await peersOf(host)).find(({ nickname }) => nickname === of.name)?.state;

/** How many links each router lost so far. */
const lostLinks = (hosts: readonly Host[]) =>
  hosts.map(
    (host) => readFileSync(join(host.runDirectory, 'daemon.log'), 'utf8').split('link lost').length - 1,
  );

describe('twelve routers', () => {
  test(
    `go on when one of them is restarted ${RESTARTS} times`,
    async () => {
      const { hosts, seeds } = world();
      const [, restarted] = hosts;
      if (restarted === undefined) throw new Error('there are no hosts');
      for (let i = 0; i < RESTARTS; i += 1) {
        if (i % 2 === 0) process.kill(restarted.daemon, 'SIGKILL');
        else await restarted.weft('stop');
        await until('it is gone', async () => (await restarted.tryWeft('status')).code === 3);
        await restarted.launch({ peers: seeds });
      }
      await allLinked(hosts, 20_000);
      for (const host of hosts) expect(await peersOf(host)).toHaveLength(SIZE);
    },
    TIMEOUT,
  );

  test.runIf(process.env.WEFT_LONG === '1')(
    'of which half are killed at once: the others lose no link, see who is down, and are whole again after',
    async () => {
      const { hosts, seeds } = world();
      const [dead, rest] = [hosts.filter((_, i) => i % 2 === 1), hosts.filter((_, i) => i % 2 === 0)];
      const before = lostLinks(rest);
      for (const host of dead) for (const pid of [host.daemon, host.forwarder]) process.kill(pid, 'SIGKILL');
      await until(
        'the dead are down',
        async () => {
          for (const host of rest)
            for (const other of dead) if ((await stateOf(host, other)) !== 'down') return false;
          return true;
        },
        { within: 60_000, every: 500 },
      );
      await allLinked(rest, 5_000);
      expect(lostLinks(rest)).toEqual(before.map((count) => count + dead.length));
      await Promise.all(dead.map((host) => host.launch({ peers: seeds })));
      await allLinked(hosts, 20_000);
    },
    TIMEOUT,
  );

  test.runIf(LONG)(
    `cut in two for ${PARTITION} s, with changes on both sides, agree again after`,
    async () => {
      const { hosts, between, left } = world();
      const [west, east] = [hosts.slice(0, SIZE / 2), hosts.slice(SIZE / 2)];
      const [leaver, renamed] = [west.at(-1), east.at(-1)];
      if (leaver === undefined || renamed === undefined) throw new Error('there are no hosts');
      await left.portOf(between).unplug();
      await leaver.weft('stop');
      await renamed.weft('stop');
      await renamed.launch({ args: ['--nickname', 'renamed'] });
      await lasting(PARTITION);
      await left.portOf(between).plug();
      const rest = hosts.filter((host) => host !== leaver);
      await until(
        'all agree',
        async () => {
          for (const host of rest) {
            const states = (await peersOf(host)).map(
              ({ nickname, state }) => `${nickname} ${state === 'self' ? 'linked' : state}`,
            );
            const expected = rest.map((one) => `${one === renamed ? 'renamed' : one.name} linked`);
            if ([...expected, `${leaver.name} left`].sort().join() !== states.sort().join()) {
              throw new Error(`${host.name} sees ${states.join(', ')}`);
            }
          }
          return true;
        },
        { within: 60_000, every: 200 },
      );
      await renamed.weft('stop');
      await Promise.all([leaver.launch(), renamed.launch({ args: ['--nickname', renamed.name] })]);
      await allLinked(hosts, 30_000);
    },
    TIMEOUT,
  );

  test(
    `lose no link in ${LOSSY} s in which one packet of twenty is lost`,
    async () => {
      const { hosts, left, right } = world();
      const losses = [
        await left.lose('everything', { share: 0.05 }),
        await right.lose('everything', { share: 0.05 }),
      ];
      const before = lostLinks(hosts);
      await lasting(LOSSY);
      expect(lostLinks(hosts)).toEqual(before);
      for (const host of hosts) {
        const states = (await peersOf(host)).map(({ state }) => state);
        expect(states.filter((state) => state === 'linked')).toHaveLength(SIZE - 1);
      }
      for (const loss of losses) await loss.lift();
    },
    TIMEOUT,
  );
});

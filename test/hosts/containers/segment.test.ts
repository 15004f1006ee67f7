import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Listener, lasting, Sender, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { counters, pair } from '../pair.js';

describe('a segment of three hosts', () => {
  const world = onLab(async (lab) => {
    const [a, b, c] = await lab.hosts(3);
    await a.launch();
    const token = await a.token();
    await Promise.all([b, c].map((host) => host.launch({ token })));
    const c1 = await a.container('c1', '10.32.0.1/24', 'fd32::1/64');
    const c2 = await b.container('c2', '10.32.0.2/24', 'fd32::2/64');
    const c3 = await c.container('c3', '10.32.0.3/24', 'fd32::3/64');
    for (const from of [c1, c2, c3]) {
      for (const to of [c1, c2, c3]) if (to !== from) await from.reaches(to.address);
    }
    return { a, b, c, c1, c2, c3 };
  });

  test.each([
    'address',
    'address6',
  ] as const)('who has the %s of a container elsewhere is answered on the host', async (which) => {
    const { a, c1, c2 } = world();
    await until('the question does not leave the host', async () => {
      const before = (await counters(a)).neighbours_answered ?? 0;
      await c1.ip('neighbour flush all');
      await c1.reaches(c2[which]);
      return ((await counters(a)).neighbours_answered ?? 0) > before;
    });
    const neighbours = await c1.ipJson<{ dst: string; lladdr?: string }[]>('neighbour');
    const { address: mac } = await c2.device();
    expect(neighbours).toContainEqual(expect.objectContaining({ dst: c2[which], lladdr: mac }));
  });

  test('an address that nobody has is still asked for everywhere, and its first owner is found', async () => {
    const { b, c1 } = world();
    expect(await c1.ping('10.32.0.77')).toBe(false);
    await b.container('late', '10.32.0.77/24');
    await c1.reaches('10.32.0.77');
  });

  test('a container that moves to another host is reachable at once', async () => {
    const { b, c, c1 } = world();
    const mover = await b.container('mover', '10.32.0.9/24');
    await c1.reaches(mover.address);
    const started = performance.now();
    await b.weft('detach', mover.namespace);
    await c.weft('attach', mover.namespace, '10.32.0.9/24');
    await c1.reaches('10.32.0.9');
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test('two hosts whose bridges are joined by a wire of their own go on, without a storm', async () => {
    const { a, b, c1, c2, c3 } = world();
    await a.ip(`link add lan type veth peer name lan netns ${b.namespace}`);
    for (const host of [a, b]) await host.ip('link set lan master weft up');
    const muted = async () => {
      const all = await Promise.all([a, b].map(async (host) => (await host.report()).datapath?.networks));
      return all.filter((networks) => networks?.some(({ loop }) => loop?.muted)).length;
    };
    await until('one of the two is silent', async () => (await muted()) === 1);
    const before = await counters(a);
    for (const to of [c2, c3]) await c1.reaches(to.address);
    await c3.reaches(c2.address);
    expect(((await counters(a)).tap_read_frames ?? 0) - (before.tap_read_frames ?? 0)).toBeLessThan(500);
    expect(a.logs() + b.logs()).toContain('beside the tunnel');

    await a.ip('link delete lan');
    await until('both speak again', async () => (await muted()) === 0);
    await c1.ip('neighbour flush all');
    for (const to of [c2, c3]) await c1.reaches(to.address);
  });

  test('multicast goes to the hosts where somebody wants it, and nowhere else', async () => {
    const { b, c, c1, c2 } = world();
    const [group, count, size] = ['239.1.2.3', 200, 300];
    const { ifname: device } = await c2.device();
    await until(
      'nobody gets what nobody wants',
      async () => (await carried()).every((bytes) => bytes < (count * size) / 2),
      { within: 30_000 },
    );
    const listener = await Listener.start(c2, 7000, { group, device });
    await until('it arrives where it is wanted', async () => ((await carried())[0] ?? 0) >= count * size);
    await until('and nowhere else', async () => ((await carried())[1] ?? 0) < (count * size) / 2, {
      within: 30_000,
    });
    expect((await listener.stop()).distinct).toBeGreaterThanOrEqual(count);

    /** Sends to the group, and counts the bytes that the hosts wrote to their TAPs meanwhile. */
    async function carried(): Promise<number[]> {
      const before = await Promise.all([b, c].map(written));
      const stream = { rate: 1000, size, count, device: (await c1.device()).ifname };
      await (await Sender.start(c1, group, 7000, stream)).ends();
      await c1.reaches(c2.address);
      const after = await Promise.all([b, c].map(written));
      return after.map((now, index) => now - (before[index] ?? 0));
    }

    async function written(host: typeof b): Promise<number> {
      return (await counters(host)).tap_written_bytes ?? 0;
    }
  });

  test('what a host announced is forgotten when it leaves', async () => {
    const { a, b, c, c1, c3 } = world();
    const gone = await c3.device();
    await c.weft('stop');
    await until('the container is not answered for any more', async () => {
      const { answered, flooded } = await asked();
      return answered === 0 && flooded > 0;
    });
    await c.launch({ token: await b.token() });
    await c1.reaches(c3.address);
    expect((await c3.device()).address).toBe(gone.address);

    async function asked() {
      const before = await counters(a);
      await c1.ip('neighbour flush all');
      await c1.ping(c3.address, { flags: ['-W', '1'] });
      const after = await counters(a);
      const grown = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
      return { answered: grown('neighbours_answered'), flooded: grown('flooded') };
    }
  });
});

describe('a storm of broadcasts', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    return await pair(a, b, { args: ['--storm-limit', '100'] });
  });

  test('is cut to what was chosen at launch, which the log says once, and doctor with the remedy', async () => {
    const { a, c1 } = world();
    const sender = await Sender.start(c1, '10.32.0.255', 7000, { rate: 2_000, size: 100 });
    const told = () =>
      readFileSync(join(a.runDirectory, 'daemon.log'), 'utf8').match(/.*has a storm.*/g) ?? [];
    await until('the log tells', () => told().length > 0);
    await lasting(2);
    await sender.stop();
    expect(told()).toEqual([
      expect.stringMatching(/"level":"warn".*more than 100 broadcasts a second.*--storm-limit/),
    ]);
    expect((await a.tryWeft('doctor')).stdout).toMatch(
      /warn +storm control +\d+ broadcasts .*dropped .*\(100 a second\)\n.*--storm-limit/,
    );
  });

  test('passes whole where there is no limit, also after a restart of the router', async () => {
    const { a, b, c1, c2 } = world();
    await a.weft('stop');
    await a.launch({ args: ['--storm-limit', 'none'] });
    await a.weft('stop');
    await a.launch();
    await a.isConnectedTo(b);
    await c1.reaches(c2.address);
    const listener = await Listener.start(c2, 7000);
    const stream = { rate: 2_000, size: 100, count: 2_000 };
    await (await Sender.start(c1, '10.32.0.255', 7000, stream)).ends();
    expect((await listener.stop()).distinct).toBe(2_000);
    expect((await a.tryWeft('doctor')).stdout).toMatch(/ok +storm control +no broadcast was dropped/);
  });
});

import { describe, expect, test } from 'vitest';
import { pair } from '../hosts/pair.js';
import { behindNats, connection, containersOn } from '../hosts/paths/layouts.js';
import { Exchange, until } from '../lab/index.js';
import { onLab } from '../lab/suite.js';

describe('two hosts behind NATs that keep their ports, and a public one', () => {
  const world = onLab((lab) => behindNats(lab, true));

  test('reach each other directly within 5 s', async () => {
    const { a, b, token } = world();
    await b.launch({ token });
    await until('the path is direct', async () => (await connection(a, b)).path === 'direct', {
      within: 5_000,
    });
    await until('the way back is, too', async () => (await connection(b, a)).path === 'direct');
    const [c1, c2] = await containersOn([a, b]);
    await c1?.reaches(c2?.address ?? '');
  });
});

describe('two hosts between which UDP is dropped', () => {
  const world = onLab(async (lab) => {
    const wire = await lab.wire();
    return { wire, ...(await pair(await lab.host(wire), await lab.host(wire))) };
  });

  test('go on over TCP within 5 s, and return to UDP within 30 s after it is allowed again', async () => {
    const { wire, a, b, c1, c2 } = world();
    const exchange = await Exchange.start(c1, c2, c2.address, 0);
    const outage = await wire.lose('udp');
    const since = performance.now();
    await until('packets go over TCP', async () => (await connection(a, b)).path === 'tcp');
    await c1.reaches(c2.address);
    expect((performance.now() - since) / 1000).toBeLessThan(5);
    expect((await connection(a, b)).reason).toMatch(/no direct answer over UDP .*is the UDP port open/);
    for (const size of [56, 1400, 8000, 60_000]) {
      await until(`a ping of ${size} bytes is answered`, () => c1.ping(c2.address, { size }));
    }
    await outage.lift();
    await until('packets go over UDP', async () => (await connection(a, b)).path === 'direct', {
      within: 30_000,
    });
    await c1.reaches(c2.address);
    const [left, right] = await exchange.stop();
    expect(left.receivedChecksum).toBe(right.sentChecksum);
    expect(right.receivedChecksum).toBe(left.sentChecksum);
    const connections = ['ss', '-Hnt', 'state', 'established'];
    await until(
      'the TCP connection is given up',
      async () => (await a.run(connections)).trim().split('\n').length === 1,
      { within: 30_000 },
    );
  });

  test('are connected over TCP from the start when it was so before', async () => {
    const { wire, a, b, c1, c2 } = world();
    const outage = await wire.lose('udp');
    await b.weft('stop');
    await b.launch({ token: await a.token() });
    await until('packets go over TCP', async () => (await connection(b, a)).path === 'tcp');
    await c1.reaches(c2.address);
    await outage.lift();
  });
});

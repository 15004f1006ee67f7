import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { PeerPath } from '../../../src/api/index.js';
import { Exchange, lasting, Sender, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { behindNats, connection, containersOn, launchChain, row } from './layouts.js';

/** Seconds on a bad wire. */
const BAD = process.env.WEFT_LONG === '1' ? 300 : 10;

describe('a chain of five hosts without a wire between those that are not neighbours', () => {
  const world = onLab(async (lab) => {
    const { hosts } = await row(lab, 5);
    await launchChain(hosts);
    return { hosts, containers: await containersOn(hosts) };
  });

  test('carries pings and TCP from end to end, and those between see only ciphertext', async () => {
    const { hosts, containers } = world();
    const [first, last] = [containers[0], containers[4]];
    const [a, , relay, , e] = hosts;
    if (!first || !last || !a || !relay || !e) throw new Error('five hosts were asked for');
    await first.reaches(last.address, { within: 20_000 });
    await first.reaches(last.address6);
    expect(await connection(a, e)).toMatchObject({ udp: 'up', via: expect.any(String) });

    const captures = await Promise.all(relay.ports.map(({ device }) => relay.capture(device)));
    const text = Buffer.from(randomBytes(200).toString('base64'));
    const sink = last.start(['socat', '-u', 'TCP4-LISTEN:7001', '-']);
    await until('the sink listens', () => last.run(['sh', '-c', 'ss -Hltn sport = 7001 | grep .']));
    await first.run(['socat', '-u', '-', `TCP4:${last.address}:7001`], { input: text });
    expect((await sink.ends()).stdout).toBe(text.toString());
    for (const size of [56, 1300, 1400, 4000]) {
      await until(`a ping of ${size} bytes is answered`, () => first.ping(last.address, { size }));
    }
    for (const capture of captures) {
      const seen = await capture.stop();
      expect(seen.length).toBeGreaterThan(2000);
      for (let at = 0; at + 6 <= text.length; at += 1)
        expect(seen.includes(text.subarray(at, at + 6))).toBe(false);
    }
    const exchange = await Exchange.start(first, last, last.address, 2_000_000);
    const [left, right] = await exchange.ends();
    expect(left.receivedChecksum).toBe(right.sentChecksum);
    expect(right.receivedChecksum).toBe(left.sentChecksum);
  });

  test('is shown hop by hop, measured, and explained', async () => {
    const { hosts } = world();
    const [a, b] = hosts;
    if (!a || !b) throw new Error('five hosts were asked for');
    await until('every hop is measured', async () => {
      const hops = await a.weftJson<{ nickname: string; rtt: number | null }[]>('trace', 'host5');
      expect(hops.map(({ nickname }) => nickname)).toEqual(['host2', 'host3', 'host4', 'host5']);
      return hops.every(({ rtt }) => rtt !== null);
    });
    expect(await a.weft('ping', 'host5', '--count', '2')).toMatch(
      /host5 .* through host2: .*\n.*\n2 of 2 answered/,
    );
    const lost = await a.tryWeft('ping', 'nobody');
    expect(lost).toMatchObject({ code: 1, stderr: expect.stringMatching(/no peer is called nobody/) });
    const shown = await a.weft('status', 'paths');
    expect(shown).toMatch(/host5 \(.*\): through host2/);
    expect(shown).toMatch(/host2 \(.*\): direct to/);
    expect(shown).toMatch(/no direct answer over UDP \(tried /);
    expect(await a.weft('status', 'connections')).toMatch(/host5 .* via host2/);
  });
});

describe('two hosts behind NATs that make up a port for each peer, and a public one', () => {
  const world = onLab((lab) => behindNats(lab, false));

  test('are relayed, and told why', async () => {
    const { a, b, token } = world();
    await b.launch({ token });
    const [c1, c2] = await containersOn([a, b]);
    await c1?.reaches(c2?.address ?? '');
    const { reason } = await until('the reason is known', async () => {
      const found = await connection(a, b);
      return found.path === 'relay' && /NATs that change ports/.test(found.reason ?? '') && found;
    });
    expect(reason).toMatch(/tried .*; both hosts are behind NATs that change ports .*--advertise/);
  });
});

describe('two hosts behind such NATs, one of which forwards a port', () => {
  const world = onLab((lab) => behindNats(lab, false));

  test('are connected directly once it is advertised, also when the public one is gone', async () => {
    const { internet, natOfA, open, a, b, token } = world();
    const { address } = internet.portOf(natOfA);
    await natOfA.forwardPort(internet, 7000, a.address, 6783);
    await a.weft('stop');
    await a.launch({ args: ['--advertise', `${address}:7000`] });
    await b.launch({ token });
    const [c1, c2] = await containersOn([a, b]);
    await until('the path is direct', async () => (await connection(b, a)).path === 'direct');
    expect((await connection(b, a)).endpoint).toBe(`${address}:7000`);
    await open.weft('stop');
    await c1?.reaches(c2?.address ?? '');
    expect(await c2?.ping(c1?.address ?? '')).toBe(true);
  });
});

describe('two hosts that have nothing but IPv6 between them', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    for (const host of [a, b]) await host.ip(`address del ${host.address}/24 dev ${host.port.device}`);
    await a.launch();
    await b.launch({ token: await a.token() });
    return { a, b, containers: await containersOn([a, b]) };
  });

  test('are connected directly', async () => {
    const { a, b, containers } = world();
    await containers[0]?.reaches(containers[1]?.address ?? '');
    expect(await connection(a, b)).toMatchObject({ path: 'direct', endpoint: `[${b.address6}]:6783` });
  });
});

describe('a host of two uplinks, whose routes lead out of the first', () => {
  const world = onLab(async (lab) => {
    const [first, second, outside] = [await lab.wire(), await lab.wire(), await lab.wire()];
    const a = await lab.host(first, second);
    const router = await lab.router('provider', second, outside);
    const b = await lab.host(outside);
    await b.routeThrough(router);
    // Nobody forwards on the first; what leaves from an address of the second takes the second.
    const { address, address6 } = second.portOf(a);
    const { address: gateway, address6: gateway6 } = second.portOf(router);
    await a.ip(
      `route add default via 192.168.${first.number}.99`,
      `rule add from ${address} table 100`,
      `route add default via ${gateway} table 100`,
      `route add ::/0 via fd00:${first.number}::99`,
      `route add ::/0 via ${gateway6} table 100`,
    );
    await a.run(['ip', '-6', 'rule', 'add', 'from', address6, 'table', '100']);
    await a.launch();
    await b.launch({ token: await a.token() });
    return { a, b, port: second.portOf(a), containers: await containersOn([a, b]) };
  });

  test('is reached directly at its addresses of the second, over IPv4 and IPv6', async () => {
    const { a, b, port, containers } = world();
    const reached = [`${port.address}:6783`, `[${port.address6}]:6783`];
    await until('both addresses answer', async () => {
      const [path] = await b.weftJson<PeerPath[]>('status', 'paths');
      const answering = path?.candidates.filter(({ answers }) => answers > 0) ?? [];
      return reached.every((address) => answering.some(({ endpoint }) => endpoint === address));
    });
    await until('the path is direct', async () => (await connection(a, b)).path === 'direct');
    expect(reached).toContain((await connection(b, a)).endpoint);
    const [c1, c2] = containers;
    expect(await c1?.ping(c2?.address ?? '', { size: 4000 })).toBe(true);
  });
});

describe('three hosts on a wire that loses 5 % of all packets, and reorders 10 %', () => {
  const world = onLab(async (lab) => {
    const wire = await lab.wire();
    const hosts = [await lab.host(wire), await lab.host(wire), await lab.host(wire)];
    await launchChain(hosts);
    return { wire, hosts, containers: await containersOn(hosts) };
  });

  test(
    `stay on their direct paths for ${BAD} s`,
    async () => {
      const { wire, hosts, containers } = world();
      const [a, b] = hosts;
      const [c1, c2] = containers;
      if (!a || !b || !c1 || !c2) throw new Error('three hosts were asked for');
      await c1.reaches(c2.address);
      const direct = async () =>
        (await a.report()).connections.filter(({ path }) => path === 'direct').length === 2;
      await until('all paths are direct', direct);
      const loss = await wire.lose('everything', { share: 0.05 });
      await wire.reorder(0.1, 5);
      const sender = await Sender.start(c1, c2.address, 7000, { rate: 100, size: 200 });
      for (let second = 0; second < BAD; second += 1) {
        await lasting(1);
        expect(await direct()).toBe(true);
      }
      await sender.stop();
      await loss.lift();
      expect(a.logs()).not.toMatch(/traffic is interrupted/);
    },
    BAD * 1000 + 120_000,
  );
});

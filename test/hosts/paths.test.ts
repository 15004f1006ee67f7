import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  type Container,
  Exchange,
  type Host,
  type Lab,
  Listener,
  lasting,
  Sender,
  until,
} from '../lab/index.js';
import { onLab } from '../lab/suite.js';
import { pair } from './pair.js';

const LONG = process.env.WEFT_LONG === '1';

/** Launches routers one after the other, each with the token of the one before. */
async function launchChain(hosts: readonly Host[]): Promise<void> {
  let token: string | undefined;
  for (const host of hosts) {
    await host.launch(token === undefined ? {} : { token });
    token = await host.token();
  }
}

/** A container on each host: `10.32.0.1/24` on the first, and so on. */
async function containersOn(hosts: readonly Host[]): Promise<Container[]> {
  return await Promise.all(
    hosts.map((host, i) => host.container(`c${i + 1}`, `10.32.0.${i + 1}/24`, `fd32::${i + 1}/64`)),
  );
}

/** Hosts in a row, each on a wire with the next; with `closed`, the last with the first, too. */
async function row(lab: Lab, count: number, { closed = false } = {}) {
  const wires = [];
  for (let i = 0; i < (closed ? count : count - 1); i += 1) wires.push(await lab.wire());
  const hosts: Host[] = [];
  for (let i = 0; i < count; i += 1) {
    const around = [wires[(i + wires.length - 1) % wires.length], wires[i % wires.length]];
    const own = closed ? around : [wires[i - 1], wires[i]];
    hosts.push(await lab.host(...own.filter((wire) => wire !== undefined)));
  }
  return { wires, hosts };
}

/** What a router tells about its way to another. */
async function connection(from: Host, to: Host) {
  const { connections } = await from.report();
  const found = connections.find(({ nickname }) => nickname === to.name);
  if (found === undefined) throw new Error(`${from.name} does not know ${to.name}`);
  return found;
}

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

describe('a ring of five hosts', () => {
  const world = onLab(async (lab) => {
    const { hosts, wires } = await row(lab, 5, { closed: true });
    await launchChain(hosts);
    return { hosts, wires, containers: await containersOn(hosts) };
  });

  test('goes the other way round in under 1 s when a link is cut, and back when it is healed', async () => {
    const { hosts, wires, containers } = world();
    const [a, b] = hosts;
    const [c1, c2] = containers;
    const [wire] = wires;
    if (!a || !b || !c1 || !c2 || !wire) throw new Error('five hosts were asked for');
    await c1.reaches(c2.address);
    await until(
      'all peers are up',
      async () => (await a.report()).connections.filter(({ udp }) => udp === 'up').length === 4,
      { within: 20_000 },
    );
    const exchange = await Exchange.start(c1, c2, c2.address, 0);
    const listener = await Listener.start(c2, 7000);
    const sender = await Sender.start(c1, c2.address, 7000, { rate: 200, size: 200 });
    await lasting(1);
    const cut = await wire.lose('everything');
    await until('the packets go through a relay', async () => (await connection(a, b)).via !== null);
    await lasting(1);
    await cut.lift();
    await until('the packets go straight again', async () => (await connection(a, b)).via === null, {
      within: 30_000,
    });
    await lasting(1);
    await sender.stop();
    const { longestGap } = await listener.stop();
    expect(longestGap).toBeLessThan(1);
    const [left, right] = await exchange.stop();
    expect(left.receivedChecksum).toBe(right.sentChecksum);
    expect(right.receivedChecksum).toBe(left.sentChecksum);
  });
});

/** A public host, and two hosts behind NATs of their own. */
async function behindNats(lab: Lab, preservePorts: boolean) {
  const internet = await lab.wire();
  const open = await lab.host(internet);
  const hosts: Host[] = [];
  for (const name of ['left', 'right']) {
    const inside = await lab.wire();
    const nat = await lab.router(name, inside, internet);
    await nat.masquerade(internet, { preservePorts });
    const host = await lab.host(inside);
    await host.routeThrough(nat);
    hosts.push(host);
  }
  const [a, b] = hosts;
  if (!a || !b) throw new Error('there are two');
  await open.launch();
  const token = await open.token();
  await a.launch({ token });
  await a.isConnectedTo(open);
  return { open, a, b, token };
}

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

describe('three hosts on a wire that loses 5 % of all packets', () => {
  const world = onLab(async (lab) => {
    const wire = await lab.wire();
    const hosts = [await lab.host(wire), await lab.host(wire), await lab.host(wire)];
    await launchChain(hosts);
    return { wire, hosts, containers: await containersOn(hosts) };
  });

  test(`stay on their direct paths for ${LONG ? 300 : 20} s`, async () => {
    const { wire, hosts, containers } = world();
    const [a, b] = hosts;
    const [c1, c2] = containers;
    if (!a || !b || !c1 || !c2) throw new Error('three hosts were asked for');
    await c1.reaches(c2.address);
    const direct = async () =>
      (await a.report()).connections.filter(({ path }) => path === 'direct').length === 2;
    await until('all paths are direct', direct);
    const loss = await wire.lose('everything', { share: 0.05 });
    const sender = await Sender.start(c1, c2.address, 7000, { rate: 100, size: 200 });
    for (let second = 0; second < (LONG ? 300 : 20); second += 1) {
      await lasting(1);
      expect(await direct()).toBe(true);
    }
    await sender.stop();
    await loss.lift();
    expect(a.logs()).not.toMatch(/traffic is interrupted/);
  });
});

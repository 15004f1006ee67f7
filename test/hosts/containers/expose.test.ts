import { describe, expect, test } from 'vitest';
import { awaitFrame, type Host, type Node, sendFrame, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { withOutside } from '../outside.js';

/** As Docker leaves the packet filter of a host: what is forwarded is dropped, but for what its own chains let pass. */
const DOCKER = `table ip filter {
  chain DOCKER-USER { counter return; }
  chain FORWARD {
    type filter hook forward priority filter; policy drop;
    jump DOCKER-USER
  }
}`;

const OUTSIDE = '192.168.2.2';

/** Routers on a and b; a is on a second wire, on which there is a machine that knows nothing of the overlay. */
const world = onLab(async (lab) => {
  const known = await withOutside(lab);
  const c3 = await known.b.container('c3', '10.32.3.3/24');
  return { ...known, c3 };
});

const table = (host: Host) => host.attempt(['nft', 'list', 'table', 'inet', 'weft-weft']);
const hasRules = async (host: Host) => (await table(host)).stdout.includes('masquerade');

describe('a host that is exposed', () => {
  test('and the containers of that subnet reach each other, on all hosts; those of other subnets do not', async () => {
    const { a, b, c1, c2, c3 } = world();
    expect(await a.ping(c2.address)).toBe(false);
    expect(await a.weft('expose', '10.32.0.254/24', 'fd32::254/64')).toContain('10.32.0.254/24');
    await a.reaches(c1.address);
    await a.reaches(c2.address);
    await a.reaches(c2.address6);
    await c2.reaches('10.32.0.254');
    await c2.reaches('fd32::254');
    expect(await a.ping(c3.address)).toBe(false);
    expect(await c3.ping('10.32.0.254')).toBe(false);
    expect(await b.ping(c2.address)).toBe(false);
  });

  test('lets containers of all hosts reach the outside with its address, over IPv4 and IPv6', async () => {
    const { c1, c2, a } = world();
    for (const container of [c1, c2]) {
      await container.ip('route add default via 10.32.0.254', 'route add ::/0 via fd32::254');
      await container.reaches(OUTSIDE);
      await container.reaches(a.ports[1]?.wire.portOf(world().outside).address6 ?? '');
    }
  });

  test('answers for containers that have no way back to whom it forwards for', async () => {
    const { a, b, c3, outside } = world();
    await a.weft('expose', '10.32.3.254/24');
    await outside.ip(`route add 10.32.3.0/24 via ${a.ports[1]?.address}`);
    await outside.reaches(c3.address);
    expect(await b.ping(c3.address)).toBe(false);
    await a.weft('hide', '10.32.3.254/24');
    expect(await outside.ping(c3.address)).toBe(false);
  });

  test('forwards a port to a container for machines outside, and for its neighbours', async () => {
    const { a, outside, c1, c2 } = world();
    await a.nft(`table ip ports {
      chain prerouting {
        type nat hook prerouting priority dstnat;
        fib daddr type local tcp dport 5555 dnat to ${c2.address}:5555
      }
    }`);
    const server = c2.start(['socat', 'TCP-LISTEN:5555,fork,reuseaddr', 'SYSTEM:echo $SOCAT_PEERADDR']);
    const asked = async (from: Node, address: string) =>
      (await from.run(['socat', '-u', `TCP:${address}:5555,connect-timeout=2`, '-'])).trim();
    await until('it listens', () => asked(c2, c2.address));
    expect(await asked(outside, a.ports[1]?.address ?? '')).toBe('10.32.0.254');
    // Answers of neighbours come back through the packet filter by themselves, or not at all.
    for (const [isFiltering, seen] of [
      [1, c1.address],
      [0, '10.32.0.254'],
    ] as const) {
      await a.sysctl({ 'net.bridge.bridge-nf-call-iptables': isFiltering });
      expect(await asked(c1, '10.32.0.254')).toBe(seen);
    }
    await server.stop();
    await a.nft('delete table ip ports');
  });

  test.each([
    ['routed', 0],
    ['handed to the packet filter', 1],
  ])('leads a container to itself by a port of the host while bridged frames are %s', async (_how, isFiltering) => {
    const { a, c1 } = world();
    await a.sysctl({
      'net.bridge.bridge-nf-call-iptables': isFiltering,
      'net.bridge.bridge-nf-call-ip6tables': isFiltering,
    });
    await a.nft(`table inet ports {
      chain prerouting {
        type nat hook prerouting priority dstnat;
        fib daddr type local tcp dport 5556 meta nfproto ipv4 dnat ip to ${c1.address}:5556
        fib daddr type local tcp dport 5556 meta nfproto ipv6 dnat ip6 to [${c1.address6}]:5556
      }
    }`);
    const listening = 'TCP6-LISTEN:5556,ipv6only=0,fork,reuseaddr';
    const server = c1.start(['socat', listening, 'SYSTEM:echo $SOCAT_PEERADDR']);
    const asked = async (address: string) =>
      (await c1.run(['socat', '-u', `TCP:${address}:5556,connect-timeout=2`, '-'])).trim();
    await until('it listens', () => asked('127.0.0.1'));
    const [ipv4, ipv6] = [a.ports[1]?.address ?? '', a.ports[1]?.address6 ?? ''];
    expect(await asked(ipv4)).toBe('[0000:0000:0000:0000:0000:ffff:0a20:00fe]'); // 10.32.0.254
    expect(await asked(`[${ipv6}]`)).toBe('[fd32:0000:0000:0000:0000:0000:0000:0254]');
    await server.stop();
    await a.nft('delete table inet ports');
  });

  test.each([
    ['everybody', 'ff:ff:ff:ff:ff:ff'],
    ['nobody that is known', '02:00:00:00:00:77'],
  ])('returns to a container nothing that it sends to %s', async (_whom, mac) => {
    const { a, c1 } = world();
    const near = await a.container(`near-${mac.slice(-2)}`);
    await near.attach(`10.32.9.${mac.endsWith('77') ? 1 : 2}/24`);
    const received = await awaitFrame(c1, 'ethweft', 0x88b5);
    const passed = await awaitFrame(near, 'ethweft', 0x88b5);
    await sendFrame(c1, 'ethweft', mac, 0x88b5, 'own');
    expect(await passed()).toContain('own');
    await sendFrame(near, 'ethweft', 'ff:ff:ff:ff:ff:ff', 0x88b5, 'theirs');
    expect(await received()).toContain('theirs');
    await near.detach();
  });

  test('writes its rules again when somebody flushed the packet filter', async () => {
    const { a, c2 } = world();
    expect(await hasRules(a)).toBe(true);
    for (const harm of [
      'flush ruleset',
      'flush table inet weft-weft',
      'delete chain inet weft-weft postrouting',
    ]) {
      await a.nft(harm);
      await until('the rules are there again', () => hasRules(a));
      await c2.reaches(OUTSIDE);
    }
  });

  test('gets through the filter of Docker, without a change to what is there', async () => {
    const { a, c2 } = world();
    await a.nft(DOCKER);
    expect(await c2.ping(OUTSIDE)).toBe(false);
    await c2.reaches(OUTSIDE, { within: 20_000 });
    const rules = await a.run(['nft', 'list', 'table', 'ip', 'filter']);
    expect(rules).toContain('counter packets');
    expect(rules).toContain('policy drop');
    expect(rules).toContain('jump DOCKER-USER');
    // Networks of Docker's own are still for Docker to guard.
    await a.ip(
      'link add docker0 type bridge',
      'address add 172.17.0.1/16 dev docker0',
      'link set docker0 up',
      'link add d0 type veth peer name d1',
      'link set d0 master docker0 up',
    );
    const forward = await a.run(['nft', 'list', 'chain', 'ip', 'filter', 'DOCKER-USER']);
    expect(forward.indexOf('oifname "docker0"')).toBeLessThan(
      forward.indexOf('iifname "weft" counter packets'),
    );
    expect(forward.indexOf('oifname "docker0"')).toBeGreaterThan(0);
  });

  test('is exposed again after a restart of its router, and its status tells', async () => {
    const { a, c2 } = world();
    await a.weft('stop');
    expect((await table(a)).code).toBe(1);
    expect(await a.run(['nft', 'list', 'chain', 'ip', 'filter', 'DOCKER-USER'])).not.toContain('weft');
    await a.launch();
    await a.reaches(c2.address);
    await c2.reaches(OUTSIDE);
    expect(await a.weft('status')).toContain('10.32.0.254/24');
    expect((await a.report()).exposures.map(({ address }) => address)).toEqual([
      '10.32.0.254/24',
      'fd32::254/64',
    ]);
  });

  test('has the same rules and ways again when its router was killed, the bridge set down and the rules removed', async () => {
    const { a, c1, c2 } = world();
    const rules = async () => [
      await a.run(['nft', '--stateless', 'list', 'table', 'inet', 'weft-weft']),
      await a.run(['nft', '--stateless', 'list', 'chain', 'ip', 'filter', 'DOCKER-USER']),
    ];
    const before = await rules();
    const killDaemon = async () => {
      process.kill(a.daemon, 'SIGKILL');
      await until('its end is seen', async () => (await a.tryWeft('status')).code === 3);
    };
    for (const kill of [() => a.crash(), killDaemon]) {
      await kill();
      await a.ip('link set weft down');
      await a.nft('delete table inet weft-weft');
      await a.launch();
      expect(await rules()).toEqual(before);
      await c1.reaches(c2.address);
      await a.reaches(c2.address);
      await c2.reaches(OUTSIDE);
    }
  });

  test('keeps two networks apart that it is on', async () => {
    const { a, c1 } = world();
    await a.weft('network', 'create', 'blue', '--subnet', '10.99.0.0/24');
    const blue = await a.container('blue');
    await blue.attach('--network', 'blue', '10.99.0.1/24');
    await a.weft('expose', '--network', 'blue', '10.99.0.254/24');
    await a.reaches(blue.address);
    await blue.ip('route add default via 10.99.0.254');
    await blue.reaches(OUTSIDE);
    expect(await blue.ping(c1.address)).toBe(false);
    expect(await c1.ping(blue.address)).toBe(false);
    await a.weft('hide', '--network', 'blue');
  });

  test('does not change addresses where it is told not to', async () => {
    const { a, c2 } = world();
    await a.weft('expose', '10.32.0.254/24', '--without-masquerade');
    expect(await c2.ping(OUTSIDE)).toBe(false);
    await a.weft('expose', '10.32.0.254/24');
    await c2.reaches(OUTSIDE);
  });

  test('is called by its name until it is hidden', async () => {
    const { a, b } = world();
    const found = async () => (await b.weftJson<{ answers: string[] }>('dns-lookup', 'gateway')).answers;
    await a.weft('expose', '10.32.0.253/24', '-h', 'gateway');
    await until('the other host knows the name', async () => (await found()).includes('10.32.0.253'));
    await a.weft('hide', '10.32.0.253/24');
    await until('the name is gone', async () => (await found().catch(() => [])).length === 0);
  });

  test('is a stranger again once it is hidden', async () => {
    const { a, c2 } = world();
    await a.weft('hide');
    expect((await table(a)).code).toBe(1);
    expect(await a.ping(c2.address)).toBe(false);
    expect(await c2.ping(OUTSIDE)).toBe(false);
    const { code, stderr } = await a.tryWeft('hide');
    expect(code).toBe(1);
    expect(stderr).toMatch(/no address/);
  });
});

describe('frames that the kernel hands to the packet filter', () => {
  test('pass between the containers though Docker drops what is forwarded', async () => {
    const { a, b, c1, c2 } = world();
    await a.sysctl({ 'net.bridge.bridge-nf-call-iptables': 1 });
    await a.weft('stop');
    await a.launch();
    await a.isConnectedTo(b);
    await c1.reaches(c2.address, { within: 20_000 });
  });
});

import { describe, expect, test } from 'vitest';
import { until } from '../lab/index.js';
import { onLab } from '../lab/suite.js';
import { dig, digs, everywhere, nameserver, resolvConf, threeHosts } from './dig.js';

describe('names of containers on three hosts', () => {
  const world = onLab((lab) => threeHosts(lab));

  test('resolve on every host, to IPv4 and IPv6, and back', async () => {
    const { all } = world();
    for (const n of [1, 2, 3]) {
      await everywhere(all, [`c${n}.weft.local`], [`10.32.0.${n}`]);
      await everywhere(all, [`c${n}.weft.local`, 'AAAA'], [`fd32::${n}`]);
      await everywhere(all, ['-x', `10.32.0.${n}`], [`c${n}.weft.local.`]);
      await everywhere(all, ['-x', `fd32::${n}`], [`c${n}.weft.local.`]);
    }
  });

  test('resolve over TCP and over IPv6', async () => {
    const { c1 } = world();
    const { ifname } = await c1.device();
    expect((await dig(c1, 'c3.weft.local', '+tcp')).answers).toEqual(['10.32.0.3']);
    expect((await dig(c1, 'c3.weft.local', { server: `fe80::53%${ifname}` })).answers).toEqual(['10.32.0.3']);
  });

  test('are answered with authority and a TTL of 1 s', async () => {
    const { flags, ttls } = await dig(world().c1, 'c3.weft.local');
    expect(flags).toEqual(expect.arrayContaining(['qr', 'aa', 'rd', 'ra']));
    expect(ttls).toEqual([1]);
  });

  test('do not depend on the case, and the question comes back as it was', async () => {
    const { answers, question } = await dig(world().c1, 'C3.WeFt.lOcAl');
    expect({ answers, question }).toEqual({ answers: ['10.32.0.3'], question: 'C3.WeFt.lOcAl.' });
  });

  test('may be asked for without the domain', async () => {
    expect((await dig(world().c1, 'c3')).answers).toEqual(['10.32.0.3']);
  });

  test('that exist with other types only give NOERROR, those that do not NXDOMAIN, both with the SOA', async () => {
    const { c1 } = world();
    const soa = expect.stringMatching(/^weft\.local\.\s+1\s+IN\s+SOA\s.*\s1$/);
    expect(await dig(c1, 'c3.weft.local', 'MX')).toMatchObject({
      status: 'NOERROR',
      answers: [],
      authority: [soa],
    });
    expect(await dig(c1, 'nobody.weft.local')).toMatchObject({
      status: 'NXDOMAIN',
      answers: [],
      authority: [soa],
    });
    expect(await dig(c1, 'weft.local', 'SOA')).toMatchObject({ status: 'NOERROR', authority: [] });
  });

  test('have sub-domains, and what lies between exists', async () => {
    const { a, c1, c2, all } = world();
    await a.weft('dns-add', c1.namespace, '-h', 'front.shop.weft.local');
    await everywhere(all, ['front.shop.weft.local'], ['10.32.0.1']);
    expect(await dig(c2, 'shop.weft.local')).toMatchObject({ status: 'NOERROR', answers: [] });
    await a.weft('dns-remove', c1.namespace, '-h', 'front.shop');
    await until(
      'the name between is gone',
      async () => (await dig(c2, 'shop.weft.local')).status === 'NXDOMAIN',
    );
  });

  test('with several addresses, on several hosts, put another one first each time', async () => {
    const { a, b, c1, c2 } = world();
    await a.weft('dns-add', c1.namespace, '10.32.1.1', '10.32.1.2', '-h', 'pool');
    await b.weft('dns-add', c2.namespace, '10.32.1.3', '-h', 'pool');
    await digs(c1, ['pool.weft.local'], ['10.32.1.1', '10.32.1.2', '10.32.1.3']);
    const first = async () => (await dig(c1, 'pool.weft.local')).answers[0];
    const seen = [await first(), await first(), await first()];
    expect(new Set(seen).size).toBe(3);
    await a.weft('dns-remove', c1.namespace, '10.32.1.1', '-h', 'pool');
    await everywhere([c1, c2], ['pool.weft.local'], ['10.32.1.2', '10.32.1.3']);
  });

  test('are looked up by the command, too', async () => {
    const { a, b } = world();
    expect(await a.weft('dns-lookup', 'c2')).toBe('10.32.0.2\nfd32::2\n');
    expect(await b.weft('dns-lookup', '10.32.0.1')).toBe('c1.weft.local\n');
    expect(await a.tryWeft('dns-lookup', 'nobody')).toMatchObject({ code: 1, stdout: '' });
    expect(await a.weft('status', 'dns')).toMatch(/c2\.weft\.local\s+10\.32\.0\.2 fd32::2\s+\S+-c2\s+host2/);
  });

  test('cannot be removed by another host', async () => {
    const { a, c2 } = world();
    expect(await a.tryWeft('dns-remove', c2.namespace)).toMatchObject({ code: 1 });
    await digs(world().c1, ['c2.weft.local'], ['10.32.0.2']);
  });

  test('50 of one name come over UDP as far as they fit, whole with EDNS and over TCP', async () => {
    const { a, c2 } = world();
    const fifty = Array.from({ length: 50 }, (_, i) => `10.32.2.${i + 1}`);
    await a.weft('dns-add', ...fifty, '-h', 'many');
    await digs(c2, ['many.weft.local', '+tcp'], fifty);
    const asked = (...args: string[]) => dig(c2, 'many.weft.local', '+ignore', ...args);
    const plain = await asked('+noedns');
    expect({ truncated: plain.flags.includes('tc'), size: plain.size <= 512 }).toEqual({
      truncated: true,
      size: true,
    });
    const narrow = await asked('+bufsize=700');
    expect({ truncated: narrow.flags.includes('tc'), size: narrow.size <= 700 }).toEqual({
      truncated: true,
      size: true,
    });
    expect(narrow.answers.length).toBeGreaterThan(plain.answers.length);
    const wide = await asked('+bufsize=1232');
    expect(wide.flags).not.toContain('tc');
    expect(wide.answers.toSorted()).toEqual(fifty.toSorted());
    expect((await dig(c2, 'many.weft.local', '+noedns')).answers.toSorted()).toEqual(fifty.toSorted()); // again over TCP
    await a.weft('dns-remove', '-h', 'many', ...fifty);
  });

  test('are not answered to garbage, which harms nobody', async () => {
    const { a, c1 } = world();
    const { daemon } = a;
    const script = `
      const socket = require('node:dgram').createSocket('udp4');
      const { randomBytes, randomInt } = require('node:crypto');
      let left = 3000;
      const next = () => left-- > 0 ? socket.send(randomBytes(randomInt(0, 600)), 53, '169.254.53.53', next) : socket.close();
      next();`;
    await c1.run([process.execPath, '--eval', script]);
    await digs(c1, ['c3.weft.local'], ['10.32.0.3']);
    expect(a.daemon).toBe(daemon);
  });

  test('are given by each host to its own containers only', async () => {
    const { c, c3 } = world();
    await c.weft('stop');
    await c.launch({ args: ['--no-dns'] });
    await c3.reaches('10.32.0.1');
    expect((await dig(c3, 'c1.weft.local')).status).toBe('no answer');
    await c.weft('stop');
    await c.launch({ args: ['--dns'] });
    await digs(c3, ['c1.weft.local'], ['10.32.0.1']);
  });

  test('go with their host, and come back with it', async () => {
    const { c, c1, c2 } = world();
    await c.weft('stop');
    await everywhere([c1, c2], ['c3.weft.local'], []);
    await c.launch();
    await everywhere([c1, c2], ['c3.weft.local'], ['10.32.0.3']);
  });

  test('of a host that died are not answered, until it is back', async () => {
    const { a, c, c1, c2 } = world();
    await c.port.unplug();
    await everywhere([c1, c2], ['c3.weft.local'], [], 90_000);
    expect(await a.weft('status', 'dns')).toMatch(/c3\.weft\.local.*host is down/);
    await c.port.plug();
    await everywhere([c1, c2], ['c3.weft.local'], ['10.32.0.3'], 60_000);
  });

  test('are there again after the daemon was killed', async () => {
    const { a, c1, c2 } = world();
    process.kill(a.daemon, 'SIGKILL');
    await until('the daemon is gone', () => a.processes().length === 1);
    await a.launch();
    await everywhere([c1, c2], ['c1.weft.local'], ['10.32.0.1']);
  });

  test('are answered again after somebody removed the bridge, or the way to the server', async () => {
    const { a, c1 } = world();
    await a.ip('link delete weft-dns');
    await until('there is no way', async () => (await dig(c1, 'c2.weft.local')).status === 'no answer').catch(
      () => {},
    );
    await digs(c1, ['c2.weft.local'], ['10.32.0.2'], 30_000);
    await a.ip('link delete weft');
    await digs(c1, ['c2.weft.local'], ['10.32.0.2'], 30_000);
  });
});

describe('other names', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    await nameserver(a, '--address=/example.test/192.0.2.1');
    await nameserver(b, '--address=/example.test/192.0.2.2');
    const file = resolvConf(a, '127.0.0.1');
    await a.launch({ args: ['--resolv-conf', file, '--dns-domain', 'corp.internal'] });
    const c1 = await a.container('c1');
    await a.weft('attach', c1.namespace, '10.32.0.1/24', '--name', 'c1');
    await digs(c1, ['c1.corp.internal'], ['10.32.0.1']);
    return { a, b, c1 };
  });

  test('are asked of the host’s own server, beside which ours stands on port 53', async () => {
    const { c1 } = world();
    expect((await dig(c1, 'www.example.test')).answers).toEqual(['192.0.2.1']);
    expect((await dig(c1, 'www.example.test', '+tcp')).answers).toEqual(['192.0.2.1']);
    expect(await dig(c1, 'c1.weft.local')).toMatchObject({ status: 'REFUSED' }); // what that server says
  });

  test('are asked of another server once the host’s configuration says so', async () => {
    const { a, b, c1 } = world();
    resolvConf(a, '192.168.1.250', b.address); // the first does not exist
    await digs(c1, ['www.example.test'], ['192.0.2.2'], 20_000);
  });
});

import { describe, expect, test } from 'vitest';
import { until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { dig, digs, everywhere, getent, nameserver, resolvConf, threeHosts, told } from './dig.js';

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

  test('are found by any program, without the domain or with one that is searched', async () => {
    const { a, b, c3 } = world();
    await a.weft('dns-add', '10.32.3.1', '-h', 'same.north');
    await b.weft('dns-add', '10.32.3.2', '-h', 'same.south');
    await told([c3], 'same.north', '10.32.3.1');
    await told([c3], 'same.south', '10.32.3.2');
    const found = (search: string, name: string) => getent(c3, search, 'ahostsv4', name);
    expect(await found('', 'c1')).toEqual(['10.32.0.1']);
    expect(await found('', 'same.north.weft.local')).toEqual(['10.32.3.1']);
    expect(await found('weft.local', 'c1')).toEqual(['10.32.0.1']);
    expect(await found('weft.local', 'same.south')).toEqual(['10.32.3.2']);
    expect(await found('south.weft.local weft.local', 'same')).toEqual(['10.32.3.2']);
    expect(await found('north.weft.local weft.local', 'same')).toEqual(['10.32.3.1']);
    expect(await found('weft.local', 'same')).toEqual([]);
    expect(await getent(c3, '', 'ahostsv6', 'c1')).toEqual(['fd32::1']);
  });

  test('are one however they are written, with the addresses of all who have it', async () => {
    const { a, b, all } = world();
    const mixed = await a.container('mixed', '10.32.0.51/24', '--name', 'SeEtWo');
    const lower = await b.container('lower', '10.32.0.52/24', '--name', 'seetwo');
    for (const name of ['seetwo', 'SeEtWo', 'SEETWO']) await told(all, name, '10.32.0.51', '10.32.0.52');
    for (const n of [1, 2]) await everywhere(all, ['-x', `10.32.0.5${n}`], ['seetwo.weft.local.']);
    for (const container of [mixed, lower]) await container.detach();
  });

  test('that were added are found for an address, too, and lose it or go, one or all', async () => {
    const { a, all } = world();
    const spare = await a.container('spare', '10.32.0.53/24', '10.32.0.54/24', '--name', 'spare');
    await a.weft('dns-add', spare.namespace, '-h', 'extra');
    await everywhere(all, ['-x', '10.32.0.53'], ['spare.weft.local.', 'extra.weft.local.']);
    await a.weft('dns-remove', '10.32.0.53', spare.namespace);
    for (const name of ['spare', 'extra']) await told(all, name, '10.32.0.54');
    await everywhere(all, ['-x', '10.32.0.53'], []);
    await a.weft('dns-remove', spare.namespace);
    for (const name of ['spare', 'extra']) await told(all, name);
    await spare.detach();
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
    const { c, c1, c2, c3 } = world();
    await c.weft('dns-add', c3.namespace, '-h', 'added');
    await c.weft('dns-add', '192.0.2.7', '-h', 'printer');
    await told([c1, c2], 'printer', '192.0.2.7');
    await c.weft('stop');
    for (const name of ['c3', 'added', 'printer']) await told([c1, c2], name);
    await c.launch();
    for (const name of ['c3', 'added']) await told([c1, c2], name, '10.32.0.3');
    await told([c1, c2], 'printer', '192.0.2.7');
  });

  test.runIf(process.env.WEFT_LONG === '1')(
    'of a host that died are not answered, until it is back',
    async () => {
      const { a, c, c1, c2 } = world();
      await c.port.unplug();
      await everywhere([c1, c2], ['c3.weft.local'], [], 90_000);
      expect(await a.weft('status', 'dns')).toMatch(/c3\.weft\.local.*host is down/);
      await c.port.plug();
      await everywhere([c1, c2], ['c3.weft.local'], ['10.32.0.3'], 60_000);
    },
  );

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
    await nameserver(
      a,
      '--address=/example.test/192.0.2.1',
      '--address=/gone.test/',
      '--mx-host=example.test,mail.example.test,10',
      '--ptr-record=1.2.0.192.in-addr.arpa,www.example.test',
    );
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

  test('are asked for with any type and back, and what does not exist is told', async () => {
    const { c1 } = world();
    expect((await dig(c1, 'example.test', 'MX')).answers).toEqual(['10 mail.example.test.']);
    expect((await dig(c1, '-x', '192.0.2.1')).answers).toEqual(['www.example.test.']);
    expect(await dig(c1, 'www.gone.test')).toMatchObject({ status: 'NXDOMAIN', answers: [] });
  });

  test('leave those of containers to the router, both ways, whatever the domain is', async () => {
    const { c1 } = world();
    expect((await dig(c1, 'c1.corp.internal')).answers).toEqual(['10.32.0.1']);
    expect((await dig(c1, '-x', '10.32.0.1')).answers).toEqual(['c1.corp.internal.']);
  });

  test('are asked of another server once the host’s configuration says so', async () => {
    const { a, b, c1 } = world();
    resolvConf(a, '192.168.1.250', b.address); // the first does not exist
    await digs(c1, ['www.example.test'], ['192.0.2.2'], 20_000);
  });
});

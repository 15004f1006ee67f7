import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHostPort, parseAdvertised, parseHostPort, parseTarget } from '../../../src/address.js';
import { WeftError } from '../../../src/errors.js';
import { Admission } from '../../../src/mesh/admission.js';
import { Backoff } from '../../../src/mesh/backoff.js';
import { SystemClock } from '../../../src/mesh/clock.js';
import { OwnEndpoints, type OwnEndpointsOptions } from '../../../src/mesh/endpoints.js';
import type { LocalAddress } from '../../../src/mesh/types.js';

describe('admission', () => {
  const limits = {
    handshakes: 10,
    handshakesPerAddress: 4,
    acceptBurst: 6,
    acceptRate: 2,
    sendQueue: 0,
    fullMesh: 0,
    members: 0,
  };

  test('limits the handshakes of one address and of all, and lets in again who is done', () => {
    const admission = new Admission(limits);
    const enter = (address: string) => admission.enter(address, 0);
    expect(['a', 'a', 'a', 'a', 'a'].map(enter).at(-1)).toBe('accept-limit');
    admission.leave('a');
    expect(enter('a')).toBeUndefined();
    for (const address of ['b', 'b', 'b', 'b', 'c', 'c']) expect(enter(address)).toBeUndefined();
    expect(enter('d')).toBe('accept-limit');
  });

  test('limits how often one address comes, and forgives with time', () => {
    const admission = new Admission(limits);
    const visit = (now: number) => {
      const refused = admission.enter('a', now);
      if (refused === undefined) admission.leave('a');
      return refused;
    };
    expect([0, 0, 0, 0, 0, 0, 0].map(visit)).toEqual([...Array(6).fill(undefined), 'accept-rate']);
    expect([1000, 1000, 1000].map(visit)).toEqual([undefined, undefined, 'accept-rate']);
  });

  test('never has more handshakes than allowed, whoever comes and goes', () => {
    const step = fc.record({ address: fc.nat(5000).map(String), leave: fc.boolean(), wait: fc.nat(100) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const admission = new Admission(limits);
        const inside: string[] = [];
        let now = 0;
        for (const { address, leave, wait } of steps) {
          now += wait;
          const gone = leave ? inside.shift() : undefined;
          if (gone !== undefined) admission.leave(gone);
          if (admission.enter(address, now) === undefined) inside.push(address);
          expect(admission.handshakes).toBe(inside.length);
          expect(inside.length).toBeLessThanOrEqual(limits.handshakes);
        }
      }),
    );
  });
});

test('nothing that is planned happens before its time', async () => {
  const clock = new SystemClock();
  const early = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const delay = i / 7;
      const due = clock.now() + delay;
      await new Promise<void>((resolve) => clock.after(delay, resolve));
      return Math.max(0, due - clock.now());
    }),
  );
  expect(Math.max(...early)).toBe(0);
});

test('backoff grows from the first delay to the last, with jitter, and begins anew when reset', () => {
  const middle = new Backoff(1000, 60_000, () => 0.5);
  const delays = Array.from({ length: 12 }, () => middle.next());
  expect(delays.slice(0, 4)).toEqual([1000, 1500, 2250, 3375]);
  expect(delays.at(-1)).toBe(60_000);
  middle.reset();
  expect(middle.next()).toBe(1000);
  expect(new Backoff(1000, 60_000, () => 0).next()).toBe(500);
  expect(new Backoff(1000, 60_000, () => 0.999).next()).toBeCloseTo(1499);
});

describe('own endpoints', () => {
  const own = (local: readonly LocalAddress[], options: Partial<OwnEndpointsOptions> = {}) =>
    new OwnEndpoints({
      configured: [],
      dataPort: 6783,
      localAddresses: async () => local,
      isInside: (address) => address.startsWith('10.32.'),
      onChange: () => {},
      ...options,
    });
  const many = (count: number, use: LocalAddress['use'], address: (i: number) => string): LocalAddress[] =>
    Array.from({ length: count }, (_, i) => ({ address: address(i + 1), use }));

  test('are configured ones, those on the way out, what others see, other ways, and containers’ bridges, each once', async () => {
    const endpoints = own(
      [
        { address: '192.0.2.1', use: 'primary' },
        { address: '2001:db8::1', use: 'primary' },
        { address: '192.168.7.1', use: 'uplink' },
        { address: '172.17.0.1', use: 'spare' },
      ],
      { configured: ['203.0.113.1:7000'] },
    );
    await endpoints.start();
    expect(endpoints.observe('198.51.100.1')).toBe(true);
    expect(endpoints.observe('198.51.100.1')).toBe(false);
    expect(endpoints.observe('198.51.100.1', 4000)).toBe(true);
    for (const known of ['192.0.2.1', '172.17.0.1']) expect(endpoints.observe(known)).toBe(false);
    for (const useless of ['127.0.0.1', '224.0.0.1', '::ffff:0.0.0.0', 'nonsense', '10.32.0.1'])
      expect(endpoints.observe(useless)).toBe(false);
    expect(endpoints.list()).toEqual([
      '203.0.113.1:7000',
      '192.0.2.1:6783',
      '[2001:db8::1]:6783',
      '198.51.100.1:4000',
      '198.51.100.1:6783',
      '192.168.7.1:6783',
      '172.17.0.1:6783',
    ]);
  });

  test('leave room for what others see and for both families, however many addresses the way out has', async () => {
    const endpoints = own([
      ...many(20, 'primary', (i) => `192.0.2.${i}`),
      ...many(20, 'primary', (i) => `2001:db8::${i}`),
      ...many(20, 'spare', (i) => `172.18.${i}.1`),
    ]);
    await endpoints.start();
    endpoints.observe('198.51.100.1');
    const list = endpoints.list();
    expect(list).toHaveLength(16);
    for (const told of ['192.0.2.1:6783', '[2001:db8::1]:6783', '198.51.100.1:6783'])
      expect(list).toContain(told);
    expect(endpoints.observe('192.0.2.20')).toBe(false);
  });

  test('change with the addresses of the host', async () => {
    let local = many(1, 'primary', () => '192.0.2.1');
    const endpoints = own([], { localAddresses: async () => local });
    await endpoints.start();
    expect(await endpoints.refresh()).toBe(false);
    local = [...local, { address: '192.0.2.9', use: 'uplink' }];
    expect(await endpoints.refresh()).toBe(true);
    expect(endpoints.list()).toEqual(['192.0.2.1:6783', '192.0.2.9:6783']);
  });

  test('are not waited for where DNS has to be asked, and do not take what leads nowhere', async () => {
    const endpoints = own(
      many(1, 'primary', () => '192.0.2.1'),
      {
        configured: ['no-such-name.invalid', 'localhost', '[fe80::1%eth0]:6783', '198.51.100.9'],
      },
    );
    await endpoints.start();
    expect(endpoints.list()).toEqual(['198.51.100.9:6783', '192.0.2.1:6783']);
    endpoints.stop();
  });
});

describe('addresses', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1:6783'],
    ['10.0.0.1:1', '10.0.0.1:1'],
    ['2001:DB8:0::1', '[2001:db8::1]:6783'],
    ['[2001:db8::1]:70', '[2001:db8::1]:70'],
    ['[fe80::1%eth0]:70', '[fe80::1%eth0]:70'],
    ['Host.Example', 'host.example:6783'],
    ['host_1:70', 'host_1:70'],
  ])('%s is read as %s', (text, canonical) => {
    expect(formatHostPort(parseHostPort(text))).toBe(canonical);
  });

  test.each([
    '',
    ':1',
    'a b',
    '10.0.0',
    '1.2.3.4.5',
    '10.0.0.1:0',
    '10.0.0.1:65536',
    'host:x',
    '[::1',
    '[host]:1',
    'a:1:2',
    '-a',
    'http://host-a:6783',
    '127.1',
    '0x7f000001',
  ])('%s is refused', (text) => {
    expect(() => parseHostPort(text)).toThrow(WeftError);
  });

  test.each([
    ['LOCALHOST', /every host is that itself/],
    ['db.localhost.', /every host is that itself/],
    ['127.8.0.1', /every host is that itself/],
    ['[::1]:6783', /every host is that itself/],
    ['0.0.0.0', /of no host/],
    ['::', /of no host/],
    ['224.0.0.1', /of a group/],
    ['ff02::1', /of a group/],
    ['255.255.255.255', /of all hosts/],
    ['::ffff:10.0.0.1', /write 10\.0\.0\.1/],
    ['[fe80::1%eth0]:6783', /zone/],
    ['fe80::1', /one link only/],
  ])('%s is no address of another router, and nobody is sent there', (text, why) => {
    for (const parse of [parseTarget, parseAdvertised]) expect(() => parse(text)).toThrow(why);
  });

  test('that hold on one link are targets, but not told to others', () => {
    expect(parseTarget('169.254.7.7').host).toBe('169.254.7.7');
    expect(() => parseAdvertised('169.254.7.7')).toThrow(/one link only/);
  });

  test('any text is read or refused', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          const address = parseHostPort(text);
          expect(parseHostPort(formatHostPort(address))).toEqual(address);
        } catch (error) {
          expect(error).toBeInstanceOf(WeftError);
        }
      }),
    );
  });
});

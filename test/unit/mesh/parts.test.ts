import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHostPort, parseHostPort } from '../../../src/address.js';
import { SystemClock } from '../../../src/clock.js';
import { WeftError } from '../../../src/errors.js';
import { Admission } from '../../../src/mesh/admission.js';
import { Backoff } from '../../../src/mesh/backoff.js';
import { isReachable, localAddresses, OwnEndpoints } from '../../../src/mesh/endpoints.js';

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
  const address = (text: string, internal = false) => ({
    address: text,
    internal,
    family: text.includes(':') ? ('IPv6' as const) : ('IPv4' as const),
    netmask: '',
    mac: '',
    cidr: null,
    ...(text.includes(':') ? { scopeid: 0 } : {}),
  });

  test('are the addresses that mean something elsewhere, IPv4 first, without the interfaces of weft', () => {
    const interfaces = {
      lo: [address('127.0.0.1', true), address('::1', true)],
      eth0: [address('2001:db8::1'), address('fe80::1'), address('192.0.2.1'), address('169.254.1.1')],
      weft: [address('10.32.0.1')],
    } as Parameters<typeof localAddresses>[1];
    expect(localAddresses((name) => name === 'weft', interfaces)).toEqual(['192.0.2.1', '2001:db8::1']);
  });

  test('are configured ones first, then local ones, then those that others see, each once', () => {
    const own = new OwnEndpoints({
      configured: ['203.0.113.1:7000'],
      dataPort: 6783,
      host: '192.0.2.1',
      ignoreInterface: () => false,
    });
    expect(own.observe('198.51.100.1')).toBe(true);
    expect(own.observe('198.51.100.1')).toBe(false);
    expect(own.observe('198.51.100.1', 4000)).toBe(true);
    expect(own.observe('192.0.2.1')).toBe(false);
    expect(own.observe('127.0.0.1')).toBe(false);
    expect(own.observe('nonsense')).toBe(false);
    expect(own.list()).toEqual([
      '203.0.113.1:7000',
      '192.0.2.1:6783',
      '198.51.100.1:4000',
      '198.51.100.1:6783',
    ]);
    expect(isReachable('10.0.0.1')).toBe(true);
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
  ])('%s is refused', (text) => {
    expect(() => parseHostPort(text)).toThrow(WeftError);
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

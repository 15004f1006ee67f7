import { describe, expect, test } from 'vitest';
import { isReachable, localAddresses, OwnEndpoints } from '../../../../src/mesh/membership/endpoints.js';

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

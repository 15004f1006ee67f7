import { describe, expect, test } from 'vitest';
import { OwnEndpoints, type OwnEndpointsOptions } from '../../../../src/mesh/membership/endpoints.js';
import type { LocalAddress } from '../../../../src/mesh/membership/types.js';

describe('own endpoints', () => {
  const own = (local: readonly LocalAddress[], options: Partial<OwnEndpointsOptions> = {}) =>
    new OwnEndpoints({
      configured: [],
      dataPort: 6783,
      localAddresses: async () => local,
      isInside: (address) => address.startsWith('10.32.'),
      refreshInterval: 10_000,
      onChange: () => {},
      onLocalChange: () => {},
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

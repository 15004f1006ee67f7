import { expect, test } from 'vitest';
import { isIpv6, withoutLength } from '../../../src/net/index.js';

test('an address is the same with and without a prefix length behind it', () => {
  for (const address of ['10.32.0.1', 'fd00::1']) {
    expect([withoutLength(address), withoutLength(`${address}/12`)]).toEqual([address, address]);
  }
});

test('IPv6 is told from IPv4, of subnets, too', () => {
  expect(['10.32.0.1', '10.32.0.0/12', 'fd00::1', '::/0'].map(isIpv6)).toEqual([false, false, true, true]);
});

import { expect, test } from 'vitest';
import {
  addressNumber,
  addressText,
  evenShares,
  overlappingRoute,
  parseBlock,
  sizeOf,
} from '../../../../src/ipam/ring/range.js';

test('the range is split as evenly as halves allow', () => {
  for (let shares = 1; shares < 20; shares++) {
    const parts = evenShares(parseBlock('10.32.0.0/26'), shares);
    expect(sizeOf(parts)).toBe(64);
    const sizes = parts.map(({ start, end }) => end - start);
    expect(Math.max(...sizes) / Math.min(...sizes)).toBeLessThanOrEqual(2);
    for (const { start, end } of parts) expect(start % (end - start)).toBe(0);
  }
});

test('subnets are read with or without host bits, and what has no room for hosts is refused', () => {
  expect(parseBlock('10.40.1.2/16').text).toBe('10.40.0.0/16');
  expect(addressText(addressNumber('255.1.2.3'))).toBe('255.1.2.3');
  for (const text of ['10.0.0.0/31', '10.0.0.0', 'fd00::/64', '10.0.0/8', '10.0.0.0/x']) {
    expect(() => parseBlock(text), text).toThrow(/is no IPv4 subnet/);
  }
});

test('a route that shares addresses with the range is found', () => {
  const range = parseBlock('10.32.0.0/12');
  expect(overlappingRoute(range, ['default', '192.168.0.0/16', '10.48.0.0/16', '0.0.0.0/0'])).toBeUndefined();
  expect(overlappingRoute(range, ['192.168.0.0/16', '10.40.7.0/24'])).toBe('10.40.7.0/24');
  expect(overlappingRoute(range, ['10.0.0.0/8'])).toBe('10.0.0.0/8');
  expect(overlappingRoute(range, ['10.47.255.255'])).toBe('10.47.255.255');
});

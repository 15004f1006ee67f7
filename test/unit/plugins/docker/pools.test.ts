import { describe, expect, test } from 'vitest';
import { parseRoutes, parseRoutes6, parseServers } from '../../../../src/plugins/docker/ipam/host-routes.js';
import { overlap, parsePoolId, poolId } from '../../../../src/plugins/docker/ipam/pools.js';

describe('a pool', () => {
  test.each([
    { space: 'weftlocal', subnet: '10.32.0.0/12', part: null },
    { space: 'weftglobal', subnet: '10.32.0.0/16', part: '10.32.4.0/24' },
    { space: 'weftlocal', subnet: 'fd7a:1234:5678::a20:0/108', part: null },
  ])('%j is told by its id alone', (pool) => {
    expect(parsePoolId(poolId(pool))).toEqual(pool);
  });

  test.each([
    '',
    'weft',
    'weft/weftlocal/10.32.0.0/12',
    'weft/other/10.32.0.0/12/-',
    'weft/weftlocal/10.32.0.0/99/-',
    'weft/weftlocal/1:2/8/-',
  ])('"%s" is none', (id) => expect(() => parsePoolId(id)).toThrow(/no address pool/));
});

describe('routes of the host', () => {
  test('are read as the kernel writes them', () => {
    const text = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0000200A\t00000000\t0001\t0\t0\t0\t0000F0FF\t0\t0\t0
*\t0000280A\t00000000\t0200\t0\t0\t0\t0000FFFF\t0\t0\t0
eth1\t0500A8C0\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0
`;
    expect(parseRoutes(text)).toEqual(['10.32.0.0/12', '192.168.0.5/32']);
    const six = `00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 00000400 00000001 00000000 00000001     eth0
fd7a1234567800000000000000000000 60 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     weft
`;
    expect(parseRoutes6(six)).toEqual(['fd7a:1234:5678::/96']);
  });

  test('and its DNS servers are in the way of what they are in', () => {
    expect(parseServers('# x\nnameserver 10.32.0.10\nnameserver fd00::1\nnameserver fe80::1%eth0\n')).toEqual(
      ['10.32.0.10/32', 'fd00::1/128'],
    );
    expect(overlap('10.32.0.10/32', '10.32.0.0/12')).toBe(true);
    expect(overlap('10.0.0.0/8', '10.32.0.0/12')).toBe(true);
    expect(overlap('10.48.0.0/12', '10.32.0.0/12')).toBe(false);
    expect(overlap('fd00::1/128', '10.32.0.0/12')).toBe(false);
  });
});

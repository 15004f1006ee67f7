import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import {
  addressFlags,
  defaultRoutes4,
  defaultRoutes6,
  rankAddresses,
  type UnderlayFacts,
} from '../../../src/hostnet/underlay/underlay.js';

const address = (text: string) =>
  ({
    address: text,
    family: text.includes(':') ? 'IPv6' : 'IPv4',
    internal: false,
  }) as NetworkInterfaceInfo;

/** What a host has, in the order in which its kernel lists it; `(…)` says what of it is a default route. */
function facts(host: Readonly<Record<string, readonly string[]>>, more: Partial<UnderlayFacts> = {}) {
  return {
    addresses: Object.fromEntries(Object.entries(host).map(([name, all]) => [name, all.map(address)])),
    interfaces: new Map(),
    defaults: { IPv4: new Map(), IPv6: new Map() },
    flags: new Map(),
    ...more,
  } satisfies UnderlayFacts;
}

const told = (given: UnderlayFacts, inside: readonly string[] = []) =>
  rankAddresses(given, inside).map(({ address }) => address);

const bridge = (bridgesOut: boolean) => ({ weft: false, bridgesOut });

describe('the addresses that a host tells of', () => {
  test('begin with the way out, which its kernel lists last', () => {
    const host = facts(
      {
        'br-0123456789ab': ['172.18.0.1'],
        docker0: ['172.17.0.1'],
        vlan7: ['10.7.0.1', 'fd00:7::1'],
        bond0: ['192.0.2.1', '2001:db8::1', 'fe80::1'],
      },
      { defaults: { IPv4: new Map([['bond0', 0]]), IPv6: new Map([['bond0', 1024]]) } },
    );
    expect(rankAddresses(host, [])).toEqual([
      { address: '192.0.2.1', use: 'primary' },
      { address: '2001:db8::1', use: 'primary' },
      { address: '10.7.0.1', use: 'uplink' },
      { address: 'fd00:7::1', use: 'uplink' },
      { address: '172.18.0.1', use: 'spare' },
      { address: '172.17.0.1', use: 'spare' },
    ]);
  });

  test('begin with the IPv6 way out of a host that has IPv4 in its cellar only', () => {
    const host = facts(
      { vlan1: ['10.1.0.1', 'fd00:1::1'], eth0: ['2001:db8::1'] },
      { defaults: { IPv4: new Map(), IPv6: new Map([['eth0', 1024]]) } },
    );
    expect(told(host)).toEqual(['2001:db8::1', '10.1.0.1', 'fd00:1::1']);
  });

  test('are, of two ways out, those of the one that the kernel takes, and each family has its own', () => {
    const host = facts(
      { wlan0: ['192.0.2.2', '2001:db8:2::1'], eth0: ['192.0.2.1', '2001:db8:1::1'] },
      {
        defaults: {
          IPv4: new Map([
            ['wlan0', 600],
            ['eth0', 100],
          ]),
          IPv6: new Map([['wlan0', 1024]]),
        },
      },
    );
    expect(told(host)).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8:2::1', '2001:db8:1::1']);
  });

  test('are those of a bridge that a cable is plugged into, before those of one that has containers only', () => {
    const host = facts(
      { mybr: ['172.20.0.1'], vmbr0: ['192.0.2.1'] },
      {
        interfaces: new Map([
          ['mybr', bridge(false)],
          ['vmbr0', bridge(true)],
        ]),
      },
    );
    expect(rankAddresses(host, [])).toEqual([
      { address: '192.0.2.1', use: 'uplink' },
      { address: '172.20.0.1', use: 'spare' },
    ]);
  });

  test('are those of a bridge of whatever name, where that is the way out', () => {
    const host = facts(
      { eth1: ['10.0.0.1'], 'br-lan': ['192.0.2.1'] },
      {
        interfaces: new Map([['br-lan', bridge(false)]]),
        defaults: { IPv4: new Map([['br-lan', 0]]), IPv6: new Map() },
      },
    );
    expect(told(host)).toEqual(['192.0.2.1', '10.0.0.1']);
  });

  test('are none inside of a segment: of weft’s interfaces, and of others with an address of containers', () => {
    const weft = { weft: true, bridgesOut: undefined };
    const host = facts(
      { weft: ['10.32.0.1', 'fd32::1'], mv0: ['10.33.0.9'], eth0: ['192.0.2.1'] },
      {
        interfaces: new Map([['weft', weft]]),
        defaults: {
          IPv4: new Map([
            ['weft', 0],
            ['eth0', 100],
          ]),
          IPv6: new Map(),
        },
      },
    );
    expect(told(host, ['10.32.0.0/12', 'fd00::/96'])).toEqual(['192.0.2.1']);
  });

  test('end with IPv6 addresses that are about to go, and leave out those that may be somebody else’s', () => {
    const host = facts(
      {
        eth0: ['2001:db8::d', '2001:db8::e', '2001:db8::f', '2001:db8::a', '2001:db8::1'],
        eth1: ['10.0.0.1'],
      },
      {
        defaults: { IPv4: new Map(), IPv6: new Map([['eth0', 1024]]) },
        flags: new Map([
          ['2001:db8::d', 0x20],
          ['2001:db8::e', 0x01],
          ['2001:db8::f', 0x48],
          ['2001:db8::a', 0x40],
        ]),
      },
    );
    expect(told(host)).toEqual(['2001:db8::1', '10.0.0.1', '2001:db8::d', '2001:db8::e']);
  });
});

test('default routes are read as the kernel writes them, without those that only refuse', () => {
  const four = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\tFE00010A\t0003\t0\t0\t100\t00000000\t0\t0\t0',
    'eth0\t00000000\tFD00010A\t0003\t0\t0\t50\t00000000\t0\t0\t0',
    '*\t00000000\t00000000\t0200\t0\t0\t0\t00000000\t0\t0\t0',
    'eth1\t00000000\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0',
  ].join('\n');
  expect(defaultRoutes4(four)).toEqual(new Map([['eth0', 50]]));
  const any = '0'.repeat(32);
  const six = [
    `20010db8000900000000000000000000 40 ${any} 00 ${any} 00000100 00000001 00000000 00000001     eth1`,
    `${any} 00 ${any} 00 20010db80009000000000000000000ff 00000400 00000001 00000000 00000003     eth0`,
    `${any} 00 ${any} 00 ${any} ffffffff 00000001 00000000 00200200       lo`,
    '',
  ].join('\n');
  expect(defaultRoutes6(six)).toEqual(new Map([['eth0', 1024]]));
  const flags = addressFlags('20010db8000000000000000000000002 03 40 00 a2     eth0\n');
  expect(flags).toEqual(new Map([['2001:db8::2', 0xa2]]));
});

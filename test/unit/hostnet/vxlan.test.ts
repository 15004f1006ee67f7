import { describe, expect, test } from 'vitest';
import { parseTraffic } from '../../../src/hostnet/kernel/traffic.js';
import { changesOf, guardTable } from '../../../src/hostnet/vxlan/index.js';

const [ONE, TWO, THREE] = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03'] as const;
const near = { address: '192.0.2.2', port: 6784 };
const far = { address: '192.0.2.3', port: 7784 };

describe('what a VXLAN device knows', () => {
  test('is left alone where it is as wanted', () => {
    const stations = { behind: new Map([[ONE, near]]), taken: new Set([ONE]) };
    expect(changesOf('weft-vx', stations, stations)).toEqual([]);
  });

  test('is changed by differences; frames are given to the device last, and taken from it first', () => {
    const there = {
      behind: new Map([
        [ONE, near],
        [TWO, near],
      ]),
      taken: new Set([TWO]),
    };
    const wanted = {
      behind: new Map([
        [ONE, far],
        [THREE, near],
      ]),
      taken: new Set([THREE]),
    };
    expect(changesOf('weft-vx', there, wanted)).toEqual([
      `fdb del ${TWO} dev weft-vx master`,
      `fdb del ${TWO} dev weft-vx self`,
      `fdb replace ${ONE} dev weft-vx dst 192.0.2.3 port 7784 self permanent`,
      `fdb replace ${THREE} dev weft-vx dst 192.0.2.2 port 6784 self permanent`,
      `fdb replace ${THREE} dev weft-vx master static sticky`,
    ]);
  });
});

test('the guard admits peers to their networks, by the family of their addresses, and nobody else', () => {
  const table = guardTable('weft-weft-vxlan', 6784, [
    { vni: 1, addresses: ['192.0.2.2', '192.0.2.3'] },
    { vni: 8, addresses: ['2001:db8::2'] },
    { vni: 9, addresses: [] },
  ]);
  expect(table).toContain('elements = { 256 . 192.0.2.2, 256 . 192.0.2.3 }');
  expect(table).toContain('elements = { 2048 . 2001:db8::2 }');
  expect(table).not.toContain('2304');
  expect(table).toContain('udp dport 6784 @th,96,32 . ip saddr != @ipv4 counter name refused drop');
  expect(table).toContain('udp dport 6784 @th,96,32 . ip6 saddr != @ipv6 counter name refused drop');
});

test('traffic is read from the table of interfaces', () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      200       1    0    0    0     0       0          0
weft-vx: 12345 10 0 0 0 0 0 0 67890 20 0 0 0 0 0 0
`;
  expect(parseTraffic(text)).toEqual(
    new Map([
      ['lo', { received: 100, sent: 200 }],
      ['weft-vx', { received: 12_345, sent: 67_890 }],
    ]),
  );
});

import { describe, expect, test } from 'vitest';
import { kernelPeers } from '../../../../src/daemon/kernel-paths/peers.js';
import type { ForwarderDump } from '../../../../src/forwarder/index.js';

type PeerState = ForwarderDump['peers'][number];

const HERE = {
  own: new Set(['192.0.2.1', '198.51.100.1', '2001:db8::1']),
  sources: new Map([
    ['192.0.2.2', '192.0.2.1'],
    ['192.0.2.3', '192.0.2.1'],
    ['198.51.100.4', '198.51.100.1'],
    ['2001:db8::2', '2001:db8::1'],
  ]),
  mtu: 1418,
  mtuOf: () => 1418,
};

const NONE = { local: '', peers: new Map() };

/** A peer that is reached straight and without encryption. */
function trusted(peer: string, more: Partial<PeerState> = {}): PeerState {
  return {
    peer: peer.padStart(16, '0'),
    via: null,
    transport: 'udp',
    direct: true,
    networks: [0],
    candidates: [],
    endpoint: `192.0.2.${Number.parseInt(peer, 16)}:6783`,
    keys: [],
    plain: true,
    up: true,
    rtt: 100,
    rttVariance: 10,
    loss: 0,
    pathMtu: 1500,
    observed: '192.0.2.1:6783',
    sourcePorts: { used: 1, of: 1, probed: false },
    sentBytes: 0,
    sentPackets: 0,
    receivedBytes: 0,
    receivedPackets: 0,
    lastReceived: 0,
    ...more,
  };
}

describe('frames may stay in the kernel for peers', () => {
  test('that are reached straight, without encryption, at an address of this host', () => {
    const { local, peers, reasons } = kernelPeers([trusted('2'), trusted('3')], HERE, NONE);
    expect(local).toBe('192.0.2.1');
    expect(peers.map(({ address, networks }) => ({ address, networks }))).toEqual([
      { address: '192.0.2.2', networks: [0] },
      { address: '192.0.2.3', networks: [0] },
    ]);
    expect(reasons.size).toBe(0);
  });

  test('over IPv6 as well', () => {
    const state = trusted('2', { endpoint: '[2001:db8::2]:6783' });
    expect(kernelPeers([state], HERE, NONE)).toMatchObject({
      local: '2001:db8::1',
      peers: [{ address: '2001:db8::2' }],
    });
  });

  test.each<[string, Partial<PeerState>, RegExp]>([
    ['are encrypted', { plain: false }, /--trusted-subnets/],
    ['are relayed', { via: '00000000000000ff' }, /relay/],
    ['go over TCP', { transport: 'tcp' }, /TCP/],
    ['do not get there', { up: false }, /no packets/],
    [
      'are translated on the way',
      { observed: '203.0.113.9:6783' },
      /203\.0\.113\.9, behind address translation/,
    ],
    ['have no route', { endpoint: '203.0.113.2:6783' }, /no route/],
    ['go to a link-local address', { endpoint: '[fe80::2%eth0]:6783' }, /link-local/],
  ])('but not for those whose packets %s', (_, more, reason) => {
    const { local, peers, reasons } = kernelPeers([trusted('2', more)], HERE, NONE);
    expect({ local, peers }).toEqual({ local: undefined, peers: [] });
    expect([...reasons.values()]).toEqual([expect.stringMatching(reason)]);
  });

  test('but not for those whose containers have another MTU', () => {
    const { peers, reasons } = kernelPeers([trusted('2')], { ...HERE, mtuOf: () => 1380 }, NONE);
    expect(peers).toEqual([]);
    expect([...reasons.values()]).toEqual([expect.stringMatching(/MTU 1380.*1418.*--mtu/)]);
  });

  test('that are reached from the address from which most are; for others there is a reason', () => {
    const far = trusted('4', { endpoint: '198.51.100.4:6783', observed: '198.51.100.1:6783' });
    const { local, peers, reasons } = kernelPeers([far, trusted('2'), trusted('3')], HERE, NONE);
    expect({ local, count: peers.length }).toEqual({ local: '192.0.2.1', count: 2 });
    expect([...reasons.values()]).toEqual(['it is reached from 198.51.100.1, and others from 192.0.2.1']);
  });

  test('that are reached from the address that was chosen before, as long as one is', () => {
    const far = trusted('4', { endpoint: '198.51.100.4:6783', observed: '198.51.100.1:6783' });
    expect(
      kernelPeers([far, trusted('2'), trusted('3')], HERE, { ...NONE, local: '198.51.100.1' }).local,
    ).toBe('198.51.100.1');
    expect(kernelPeers([trusted('2'), trusted('3')], HERE, { ...NONE, local: '198.51.100.1' }).local).toBe(
      '192.0.2.1',
    );
  });

  test('that the forwarder does not reach any more, while frames take this way: their forwarder may be starting', () => {
    const before = kernelPeers([trusted('2')], HERE, NONE);
    const former = {
      local: before.local ?? '',
      peers: new Map(before.peers.map((each) => [each.peer, each])),
    };
    const down = trusted('2', { up: false, plain: false, endpoint: null });
    expect(kernelPeers([down], HERE, former).peers).toEqual(before.peers);
    expect(kernelPeers([down], HERE, { ...former, peers: new Map() }).peers).toEqual([]);
    expect(kernelPeers([trusted('2', { plain: false })], HERE, former).peers).toEqual([]);
    expect(kernelPeers([], HERE, former).peers).toEqual([]);
  });
});

import { describe, expect, test } from 'vitest';
import { keyOf } from '../../../../src/daemon/kernel-paths/key.js';
import { wantedNetworks } from '../../../../src/daemon/kernel-paths/wanted.js';
import type { PeerId } from '../../../../src/identity/index.js';

const [NEAR, OTHER] = ['00000000000000aa', '00000000000000bb'] as PeerId[] as [PeerId, PeerId];

const endpoint = (network: number, mac: string, peer: PeerId) => ({
  network,
  mac,
  peer,
  addresses: [],
  labels: {},
});

const facts = {
  peers: [{ peer: NEAR, address: '192.0.2.2', networks: [0, 7] }],
  networks: new Map([
    [0, 'weft'],
    [9, 'weft0009'],
  ]),
  endpoints: [endpoint(0, '02:00:00:00:00:01', NEAR), endpoint(0, '02:00:00:00:00:02', OTHER)],
  stationOf: (peer: PeerId) => `02:00:00:00:00:${peer.slice(-2)}`,
  portOf: () => 6784,
  proven: new Set([keyOf(0, NEAR), keyOf(0, OTHER)]),
};

describe('the kernel is given', () => {
  test('the announced stations of trusted peers, on networks that both hosts have', () => {
    const remote = { address: '192.0.2.2', port: 6784 };
    expect(wantedNetworks(facts)).toEqual([
      {
        network: 0,
        bridge: 'weft',
        peers: new Map([[NEAR, { mac: '02:00:00:00:00:aa', remote }]]),
        stations: {
          behind: new Map([
            ['02:00:00:00:00:aa', remote],
            ['02:00:00:00:00:01', remote],
          ]),
          taken: new Set(['02:00:00:00:00:01']),
        },
      },
    ]);
  });

  test('no frame of a peer to which the path is not proven, but all that is needed to prove it', () => {
    const [network] = wantedNetworks({ ...facts, proven: new Set<string>() });
    expect(network?.stations.taken.size).toBe(0);
    expect([...(network?.stations.behind.keys() ?? [])]).toContain('02:00:00:00:00:aa');
  });

  test('nothing for peers whose port is not known', () => {
    expect(wantedNetworks({ ...facts, portOf: () => undefined })).toEqual([]);
  });

  test('16,384 stations at most, whatever a member announces', () => {
    const endpoints = Array.from({ length: 20_000 }, (_, i) =>
      endpoint(
        0,
        `06:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`,
        NEAR,
      ),
    );
    const [network] = wantedNetworks({ ...facts, endpoints });
    expect(network?.stations.behind.size).toBe(16_384);
    expect(network?.stations.taken.size).toBeLessThan(16_384);
  });
});

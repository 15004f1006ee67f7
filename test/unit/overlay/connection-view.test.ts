import { describe, expect, test } from 'vitest';
import type { PeerId } from '../../../src/identity/index.js';
import { type ConnectionFacts, connectionView } from '../../../src/overlay/connection-view.js';
import type { DataPlanePeerState } from '../../../src/overlay/index.js';

const [peer, relay] = ['2222222222222222', '3333333333333333'] as [PeerId, PeerId];
const tried = (endpoint: string, probes: number, answers: number) => ({
  endpoint,
  learned: false,
  probes,
  answers,
  rtt: null,
  lastAnswer: null,
});

const state: DataPlanePeerState = {
  peer,
  via: null,
  transport: 'udp',
  direct: true,
  networks: [0],
  candidates: [tried('192.0.2.1:6783', 7, 0), tried('203.0.113.1:6783', 1, 1)],
  endpoint: '203.0.113.1:6783',
  keys: [
    {
      localIndex: 1,
      remoteIndex: 2,
      cipher: 'aes-256-gcm',
      role: 'initiator',
      sealing: true,
      sentPackets: 1,
      trusted: [],
      age: 1,
    },
  ],
  plain: false,
  up: true,
  rtt: 900,
  rttVariance: 1,
  loss: 0,
  pathMtu: 1500,
  sourcePorts: { used: 1, of: 1, probed: false },
  observed: null,
  sentBytes: 1,
  sentPackets: 1,
  receivedBytes: 1,
  receivedPackets: 1,
  lastReceived: 0,
};

function view(change: Partial<DataPlanePeerState>, facts: Partial<ConnectionFacts> = {}) {
  return connectionView({
    id: peer,
    nickname: 'host2',
    linked: true,
    reachable: true,
    wasUp: false,
    dataPlane: true,
    state: { ...state, ...change },
    nats: { ours: 'none', theirs: 'none' },
    tcp: undefined,
    lostWays: undefined,
    nameOf: () => 'host3',
    ...facts,
  });
}

describe('a connection', () => {
  test('that goes straight over UDP needs no excuse', () => {
    const shown = view({});
    expect(shown).toMatchObject({ path: 'direct', udp: 'up', via: null });
    expect(shown.reason).toBeUndefined();
  });

  test('tells from how many UDP ports it is sent to, and why not from all', () => {
    const ports = (used: number, probed: boolean, more = {}) =>
      view({ sourcePorts: { used, of: 4, probed }, ...more }).udpPorts;
    expect(ports(4, true)).toEqual({ used: 4, of: 4 });
    expect(ports(3, true)).toMatchObject({
      used: 3,
      reason: expect.stringMatching(/no answer to the others/),
    });
    expect(ports(1, false)).toMatchObject({ used: 1, reason: expect.stringMatching(/more traffic/) });
    expect(ports(1, false, { via: relay })).toMatchObject({
      reason: expect.stringMatching(/straight over UDP/),
    });
    expect(ports(1, false, { up: false })).toBeNull();
  });

  test('through a relay names it, and every address that was tried, and what answered', () => {
    const shown = view({ via: relay, direct: false });
    expect(shown).toMatchObject({ path: 'relay', udp: 'up', via: relay, viaNickname: 'host3' });
    expect(shown.reason).toMatch(/192.0.2.1:6783 7 times; 203.0.113.1:6783 once, 1 answered/);
  });

  test('whose packets the host’s routes hand back to the tunnel blames these, not the UDP port', () => {
    const lostWays = { lost: ['192.0.2.1'], device: 'weft', others: false };
    const dead = { up: false, direct: false };
    const text = /route to 192\.0\.2\.1 leads into weft's own bridge \(weft\).*a route of their own/;
    for (const change of [dead, { ...dead, keys: [] }, { via: relay, direct: false }]) {
      const { reason } = view(change, { lostWays, reachable: false });
      expect(reason).toMatch(text);
      expect(reason).not.toMatch(/UDP port/);
    }
    expect(view(dead, { lostWays: { ...lostWays, others: true } }).reason).toMatch(/UDP port/);
  });

  test('between two NATs that change ports says so, and what helps', () => {
    const nats = { ours: 'changing', theirs: 'rewriting' } as const;
    const { reason } = view({ via: relay, direct: false }, { nats });
    expect(reason).toMatch(/both hosts are behind NATs that change ports .*--advertise/);
  });

  test('without encryption says so where others name their cipher', () => {
    expect(view({}).cipher).toBe('aes-256-gcm');
    expect(view({ plain: true }).cipher).toBe('plain');
  });

  test('over TCP says that UDP does not pass', () => {
    expect(view({ transport: 'tcp', direct: false })).toMatchObject({
      path: 'tcp',
      reason: expect.stringMatching(/no direct answer over UDP .*is the UDP port open/),
    });
  });

  test('without a key says whether there is anybody to agree one with', () => {
    const none = { keys: [], up: false };
    expect(view(none).reason).toBe('no key is agreed yet');
    expect(view(none, { reachable: false }).reason).toMatch(/no control link/);
    expect(view(none, { dataPlane: false }).reason).toMatch(/forwarder is not running/);
  });
});

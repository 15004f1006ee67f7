import type { Connection, Peer } from '../../../../src/api/index.js';
import type { Observation } from '../../../../src/api/status/index.js';

/** A router by itself, with nothing wrong. */
export function observation(more: Partial<Observation> = {}): Observation {
  return {
    status: {
      version: '1.2.3',
      pid: 42,
      uptime: 60,
      peer: '00000000000000aa',
      nickname: 'host-a',
      network: { id: 'fedcba9876543210', mode: 'token', admin: false, rotation: null },
      port: 6783,
      bridge: 'weft',
      mtu: 1418,
      cipher: 'auto',
      trustedSubnets: [],
      runDir: '/run/weft',
      stateDir: '/var/lib/weft',
      forwarder: {
        connected: true,
        pid: 43,
        version: '1.2.3',
        workers: 2,
        udpPorts: 4,
        sandboxed: true,
        adopted: false,
        restarts: 0,
      },
      peers: { known: 0, linked: 0 },
      connections: { up: 0, total: 0 },
      targets: { connected: 0, total: 0 },
      attachments: 1,
      dns: 'weft.local',
      dnsWaiting: [],
      networks: 0,
      statusAddress: '127.0.0.1:6782',
      exposed: [],
      faults: [],
    },
    faults: [],
    peers: [],
    connections: [],
    dns: {
      serving: true,
      domain: 'weft.local',
      ttl: 1,
      listening: ['169.254.53.53:53'],
      waiting: [],
      upstreams: [],
      names: 1,
      counters: { queries: 3, answered: 2, malformed: 0, forwarded: 1, unanswered: 0, overloaded: 0 },
    },
    ipam: {
      range: '10.32.0.0/12',
      defaultSubnet: '10.32.0.0/12',
      range6: null,
      founders: ['00000000000000aa'],
      owned: 1_048_576,
      allocated: 1,
      pending: 0,
      waitingFor: [],
      inDoubt: false,
      requests: { allocate: 0, claim: 0 },
      note: null,
      owners: [
        {
          peer: '00000000000000aa',
          nickname: 'host-a',
          addresses: 1_048_576,
          share: 1,
          free: 1_048_575,
          reachable: true,
          heir: null,
        },
      ],
    },
    docker: { enabled: false, requests: 0, failures: 0 },
    denied: { ingress: { tcp: 3, icmp: 0 } },
    enforcement: { last: 0.1, total: 0.3, count: 2 },
    kernelPaths: { moves: 2, sentBytes: 1_000_000, receivedBytes: 2_000 },
    kubernetes: {
      enabled: true,
      state: 'working',
      counts: { nodes: 3, namespaces: 4, pods: 5, policies: 6 },
      removed: [],
    },
    counters: {
      forwarder: { tap_read_frames: 7, dropped_storm: 5, of_another_version: 1 },
      bridges: { refused_mac: 2 },
      mesh: { 'bad-record': 4 },
      overlay: {},
    },
    loops: [],
    daemon: {
      node: 'v20.0.0',
      now: 1_800_000_000,
      startedAt: 1_799_999_940,
      cpu: 1.5,
      residentBytes: 9e7,
      heapBytes: 3e7,
      eventLoopLag: 0.001,
      eventLoopBusy: 0.5,
    },
    ...more,
  };
}

/** Peers of a router, and its connections to them. */
export function crowd(count: number): Pick<Observation, 'peers' | 'connections'> {
  const ids = Array.from({ length: count }, (_, i) => (i + 256).toString(16).padStart(16, '0'));
  return { peers: ids.map((peer) => member(peer)), connections: ids.map((peer) => connection(peer)) };
}

export function member(peer: string, more: Partial<Peer> = {}): Peer {
  return {
    peer,
    nickname: `host-${peer}`,
    version: '0.1.0',
    self: false,
    state: 'linked',
    endpoints: [],
    ciphers: [],
    ...more,
  };
}

export function connection(peer: string, more: Partial<Connection> = {}): Connection {
  return {
    peer,
    nickname: `host-${peer}`,
    link: 'up',
    udp: 'up',
    path: 'direct',
    via: null,
    viaNickname: null,
    endpoint: '192.0.2.1:6783',
    rtt: 250,
    loss: 0,
    pathMtu: 1500,
    udpPorts: { used: 3, of: 4 },
    cipher: 'aes-256-gcm',
    kernel: null,
    sentBytes: 1000,
    receivedBytes: 2000,
    sentPackets: 10,
    receivedPackets: 20,
    ...more,
  };
}

import type { MeshLimits, MeshTimings } from './types.js';

export const DEFAULT_TIMINGS: MeshTimings = {
  handshakeTimeout: 10_000,
  pingInterval: 5_000,
  linkTimeout: 15_000,
  backoffInitial: 1_000,
  // With jitter, a router that comes back waits at most 15 s until it is dialled.
  backoffMax: 10_000,
  selfRetry: 30_000,
  backoffReset: 10_000,
  duplicateProbe: 2_000,
  addressRefresh: 10_000,
  gossipDelay: 100,
  antiEntropy: 10_000,
  relinkTime: 3_000,
  suspicionTime: 12_000,
  leftTime: 3_600_000,
};

export const DEFAULT_LIMITS: MeshLimits = {
  handshakes: 64,
  handshakesPerAddress: 16,
  acceptBurst: 32,
  acceptRate: 8,
  sendQueue: 4 * 1024 * 1024,
  fullMesh: 64,
  connections: Infinity,
  members: 16_384,
};

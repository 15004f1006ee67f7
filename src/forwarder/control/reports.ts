/** What the forwarder tells when it is asked. */
import Type, { type Static } from 'typebox';
import { Count, Mac, Nullable, Peer, Role, Transport } from './values.js';

const Cipher = Type.Object({
  name: Type.String(),
  implementation: Type.String(),
  hardware: Type.Boolean(),
  nanosecondsPer1400: Type.Number(),
});

const Offload = Type.Object({
  name: Type.String(),
  available: Type.Boolean(),
  enabled: Type.Boolean(),
  reason: Type.Optional(Nullable(Type.String())),
});

export const Hello = Type.Object({
  protocol: Type.Integer(),
  version: Type.String(),
  pid: Count,
  port: Count,
  /** From which packets leave, too. */
  sourcePorts: Type.Array(Count),
  workers: Count,
  startedAt: Type.Number(),
  sandboxed: Type.Boolean(),
  /** 0: none. */
  stormLimit: Count,
  ciphers: Type.Array(Cipher),
  offloads: Type.Array(Offload),
});

const Key = Type.Object({
  localIndex: Count,
  remoteIndex: Count,
  cipher: Type.String(),
  role: Role,
  sealing: Type.Boolean(),
  sentPackets: Count,
  trusted: Type.Array(Type.String()),
  age: Type.Number(),
});

const Candidate = Type.Object({
  endpoint: Type.String(),
  learned: Type.Boolean(),
  probes: Count,
  answers: Count,
  rtt: Nullable(Type.Number()),
  lastAnswer: Nullable(Type.Number()),
});

const PeerState = Type.Object({
  peer: Peer,
  via: Nullable(Peer),
  transport: Transport,
  direct: Type.Boolean(),
  networks: Type.Array(Count),
  candidates: Type.Array(Candidate),
  endpoint: Nullable(Type.String()),
  keys: Type.Array(Key),
  plain: Type.Boolean(),
  up: Type.Boolean(),
  rtt: Nullable(Type.Number()),
  rttVariance: Nullable(Type.Number()),
  loss: Type.Number(),
  pathMtu: Count,
  sourcePorts: Type.Object({ used: Count, of: Count, probed: Type.Boolean() }),
  observed: Nullable(Type.String()),
  sentBytes: Count,
  sentPackets: Count,
  receivedBytes: Count,
  receivedPackets: Count,
  lastReceived: Nullable(Type.Number()),
});

const NetworkState = Type.Object({
  network: Count,
  /** Null while it has no TAP. */
  name: Nullable(Type.String()),
  /** Null while it was not told. */
  mtu: Nullable(Count),
  queues: Count,
  /** Name of the device that its kernel paths are probed through; null while there is none. */
  kernelPath: Nullable(Type.String()),
  /** Seen on this host's side of the segment: another way to a router, or back to this one. */
  loop: Nullable(Type.Object({ with: Peer, muted: Type.Boolean() })),
});

const KernelPathState = Type.Object({
  network: Count,
  peer: Peer,
  up: Type.Boolean(),
  /** In microseconds; null while nothing was answered yet. */
  rtt: Nullable(Type.Number()),
  probes: Count,
  answers: Count,
  /** Why the last probe could not leave; null if it left. */
  problem: Nullable(
    Type.Union([
      Type.Literal('no-device'),
      Type.Literal('no-key'),
      Type.Literal('too-big'),
      Type.Literal('failed'),
    ]),
  ),
});

export const Dump = Type.Object({
  peers: Type.Array(PeerState),
  networks: Type.Array(NetworkState),
  kernelPaths: Type.Array(KernelPathState),
});
export const Macs = Type.Object({
  macs: Type.Array(Type.Object({ network: Count, mac: Mac, peer: Nullable(Peer), age: Type.Number() })),
});
export const EndpointTable = Type.Object({
  endpoints: Type.Array(
    Type.Object({
      network: Count,
      mac: Mac,
      addresses: Type.Array(Type.String()),
      /** Null: attached to this host. */
      peer: Nullable(Peer),
    }),
  ),
});
export const Groups = Type.Object({
  /** Null while it is not known which groups are wanted here. */
  networks: Type.Array(Type.Object({ network: Count, groups: Nullable(Type.Array(Type.String())) })),
});
const Counters = Type.Record(Type.String(), Type.Number());
export const Stats = Type.Object({
  counters: Counters,
  workers: Type.Array(Type.Record(Type.String(), Type.Unknown())),
});

export type ForwarderHello = Static<typeof Hello>;
export type ForwarderDump = Static<typeof Dump>;
export type ForwarderMacs = Static<typeof Macs>;
export type ForwarderGroups = Static<typeof Groups>;
export type ForwarderStats = Static<typeof Stats>;

/** What the API answers, as schemas; the types of the daemon and the CLI follow from them. */
import Type, { type Static, type TSchema } from 'typebox';
import { Exposure } from './routes/exposures.js';
import { Ipam } from './routes/ipam.js';
import { DnsReport, DnsWaiting } from './routes/names.js';
import { NetworkInfo } from './routes/networks.js';
import { Rotation } from './routes/trust.js';

export const Nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);
export const PeerId = Type.String({ description: 'short id of a router: 16 hexadecimal digits' });
const Counters = Type.Record(Type.String(), Type.Number());

export const ErrorAnswer = Type.Object({
  code: Type.String({ description: 'stable, for programs' }),
  message: Type.String({ description: 'what happened, why, and what to do' }),
});

export const Version = Type.Object({
  version: Type.String(),
  node: Type.String(),
  forwarder: Nullable(Type.String()),
  protocols: Type.Object(
    { api: Type.Integer(), link: Type.Integer(), forwarder: Type.Integer() },
    { description: 'versions that are spoken: to commands, to other routers, to the forwarder' },
  ),
});
export type Version = Static<typeof Version>;

export const Peer = Type.Object({
  peer: PeerId,
  nickname: Type.String(),
  version: Type.String({ description: 'of its weft, as it says; empty where that is not known' }),
  self: Type.Boolean(),
  state: Type.Union([
    Type.Literal('self'),
    Type.Literal('linked'),
    Type.Literal('known'),
    Type.Literal('down', { description: 'nobody reached it for a while' }),
    Type.Literal('left'),
    Type.Literal('revoked'),
  ]),
  endpoints: Type.Array(Type.String()),
  ciphers: Type.Array(Type.String()),
});
export type Peer = Static<typeof Peer>;

export const Connection = Type.Object({
  peer: PeerId,
  nickname: Type.String(),
  link: Type.Union([Type.Literal('up'), Type.Literal('down')]),
  udp: Type.Union([
    Type.Literal('up'),
    Type.Literal('down'),
    Type.Literal('waiting'),
    Type.Literal('no-key'),
  ]),
  path: Type.Union(
    [Type.Literal('direct'), Type.Literal('relay'), Type.Literal('tcp'), Type.Literal('none')],
    { description: 'how packets get there: straight over UDP, through another router, over TCP, not at all' },
  ),
  via: Nullable(PeerId),
  viaNickname: Nullable(Type.String()),
  endpoint: Nullable(Type.String()),
  rtt: Nullable(Type.Number({ description: 'microseconds' })),
  loss: Nullable(Type.Number({ description: '0 to 1' })),
  pathMtu: Nullable(Type.Number()),
  udpPorts: Nullable(
    Type.Object({
      used: Type.Number({ description: 'UDP ports that packets leave from for the peer' }),
      of: Type.Number({ description: 'as `weft launch --udp-ports` was given it' }),
      reason: Type.Optional(Type.String({ description: 'why not all are used' })),
    }),
  ),
  cipher: Nullable(Type.String({ description: '`plain`: none, both ends trust the wire' })),
  sentBytes: Type.Number(),
  receivedBytes: Type.Number(),
  sentPackets: Type.Number(),
  receivedPackets: Type.Number(),
  reason: Type.Optional(Type.String({ description: 'why traffic does not flow, or not straight over UDP' })),
  kernel: Nullable(
    Type.Object(
      {
        used: Type.Boolean({ description: 'frames for its announced containers do not leave the kernel' }),
        reason: Nullable(Type.String({ description: 'why they do' })),
      },
      { description: 'null: no wire is trusted, or nothing is to be left to the kernel' },
    ),
  ),
});
export type Connection = Static<typeof Connection>;

export const Source = Type.Object({
  source: Type.String({ description: 'as `weft launch --discover` was given it, without credentials' }),
  state: Type.Union([Type.Literal('waiting'), Type.Literal('working'), Type.Literal('failing')]),
  targets: Type.Number({ description: 'that are kept' }),
  found: Type.Number({ description: 'that it named when it last answered' }),
  answeredAt: Type.Optional(Type.Number({ description: 'Unix time in milliseconds' })),
  lastError: Type.Optional(ErrorAnswer),
});
export type Source = Static<typeof Source>;

export const Target = Type.Object({
  target: Type.String(),
  from: Type.Array(Type.String(), { description: 'launch, connect, or names of sources' }),
  state: Type.Union([
    Type.Literal('connecting'),
    Type.Literal('connected'),
    Type.Literal('waiting'),
    Type.Literal('self'),
  ]),
  peer: Type.Optional(PeerId),
  retryAt: Type.Optional(Type.Number({ description: 'Unix time in milliseconds of the next attempt' })),
  lastError: Type.Optional(ErrorAnswer),
});
export type Target = Static<typeof Target>;

export const Attachment = Type.Object({
  target: Type.String({
    description: 'a container, the name or path of a network namespace, or a process id',
  }),
  id: Type.String({ description: 'the id of its engine, else how the namespace was named' }),
  name: Nullable(Type.String()),
  interface: Type.String(),
  network: Type.String(),
  mac: Nullable(Type.String()),
  addresses: Type.Array(Type.String()),
  floating: Type.Array(Type.String(), { description: 'those that go to whoever announces them last' }),
  labels: Type.Record(Type.String(), Type.String(), {
    description: 'of the container, known on all hosts',
  }),
  present: Type.Boolean({ description: 'the interface is there now' }),
  sharedWith: Type.Array(Type.String(), {
    description: 'other containers that are in the same network namespace, and have the same interface',
  }),
});
export type Attachment = Static<typeof Attachment>;

const Forwarder = Type.Object({
  connected: Type.Boolean(),
  pid: Nullable(Type.Number()),
  version: Nullable(Type.String()),
  workers: Nullable(Type.Number()),
  udpPorts: Nullable(Type.Number({ description: 'that packets leave from' })),
  sandboxed: Nullable(Type.Boolean()),
  adopted: Type.Boolean({ description: 'it was running before this daemon' }),
  restarts: Type.Number(),
});

const RunningForwarder = Type.Object({ pid: Type.Number(), version: Type.String() });

/** One forwarder took the place of another one. */
export const ForwarderExchange = Type.Object({ former: RunningForwarder, present: RunningForwarder });
export type ForwarderExchange = Static<typeof ForwarderExchange>;

export const Status = Type.Object({
  version: Type.String(),
  pid: Type.Number(),
  uptime: Type.Number({ description: 'seconds' }),
  peer: PeerId,
  nickname: Type.String(),
  network: Type.Object({
    id: Type.String(),
    mode: Type.String(),
    admin: Type.Boolean({ description: 'whether only an administrator expels, removes and rotates' }),
    rotation: Nullable(Rotation),
  }),
  port: Type.Number(),
  bridge: Type.String(),
  mtu: Type.Number(),
  cipher: Type.String({ description: 'auto, or the one that is pinned' }),
  trustedSubnets: Type.Array(Type.String(), {
    description: 'where data is not encrypted, if the other end trusts ours, too',
  }),
  runDir: Type.String(),
  stateDir: Type.String(),
  forwarder: Forwarder,
  peers: Type.Object({ known: Type.Number(), linked: Type.Number() }),
  connections: Type.Object({ up: Type.Number(), total: Type.Number() }),
  targets: Type.Object({ connected: Type.Number(), total: Type.Number() }),
  attachments: Type.Number(),
  dns: Nullable(Type.String({ description: 'domain of the names that are answered; null with --no-dns' })),
  dnsWaiting: Type.Array(DnsWaiting, {
    description: 'addresses of this host at which they are not answered yet',
  }),
  networks: Type.Number({ description: 'beside the default one' }),
  statusAddress: Nullable(
    Type.String({ description: 'where metrics and health are to be read; null: nowhere' }),
  ),
  exposed: Type.Array(Exposure, { description: 'addresses of this host' }),
  faults: Type.Array(Type.String(), {
    description: 'what of this router on the host somebody else changed, and is not put right yet',
  }),
});
export type Status = Static<typeof Status>;

/** Whether the router can do for the containers of this host what it is there for. */
export const Readiness = Type.Object({
  ready: Type.Boolean(),
  reasons: Type.Array(Type.String(), { description: 'why not' }),
  warnings: Type.Array(Type.String(), { description: 'what is wrong and makes nothing unready' }),
});
export type Readiness = Static<typeof Readiness>;

export const Datapath = Type.Object({
  forwarder: Type.Object({
    version: Type.String(),
    pid: Type.Number(),
    port: Type.Number(),
    sourcePorts: Type.Array(Type.Number(), { description: 'from which packets leave, too' }),
    workers: Type.Number(),
    sandboxed: Type.Boolean(),
    stormLimit: Type.Number({
      description: 'broadcasts a second that a network may send, for each worker; 0: no limit',
    }),
  }),
  ciphers: Type.Array(
    Type.Object({
      name: Type.String(),
      implementation: Type.String(),
      hardware: Type.Boolean(),
      nanosecondsPer1400: Type.Number(),
    }),
  ),
  offloads: Type.Array(
    Type.Object({
      name: Type.String(),
      available: Type.Boolean(),
      enabled: Type.Boolean(),
      reason: Type.Optional(Nullable(Type.String())),
    }),
  ),
  networks: Type.Array(
    Type.Object({
      network: Type.Number(),
      name: Nullable(Type.String()),
      mtu: Nullable(Type.Number()),
      queues: Type.Number(),
      loop: Nullable(Type.Object({ with: Type.String(), muted: Type.Boolean() })),
    }),
  ),
  macs: Type.Array(
    Type.Object({
      network: Type.Number(),
      mac: Type.String(),
      peer: Nullable(PeerId),
      age: Type.Number({ description: 'seconds' }),
    }),
  ),
  counters: Counters,
  workers: Type.Array(Type.Record(Type.String(), Type.Unknown())),
});
export type Datapath = Static<typeof Datapath>;

export const Report = Type.Object({
  status: Status,
  peers: Type.Array(Peer),
  connections: Type.Array(Connection),
  targets: Type.Array(Target),
  sources: Type.Array(Source),
  networks: Type.Array(NetworkInfo),
  exposures: Type.Array(Exposure),
  attachments: Type.Array(Attachment),
  dns: DnsReport,
  ipam: Ipam,
  datapath: Nullable(Datapath),
  counters: Type.Object({ mesh: Counters, overlay: Counters }),
});
export type Report = Static<typeof Report>;

export const Token = Type.Object({
  token: Type.String(),
  join: Type.String({ description: 'the command to run on another host' }),
  addresses: Type.Array(Type.String()),
});
export type Token = Static<typeof Token>;

export const Stopped = Type.Object({
  pid: Type.Number({ description: 'of the daemon, which ends now' }),
  removed: Type.Array(Type.String({ description: 'interfaces that are gone' })),
  note: Nullable(Type.String({ description: 'what could not be done' })),
});
export type Stopped = Static<typeof Stopped>;

const Addresses = Type.Array(Type.String(), {
  maxItems: 256,
  description: 'such as 10.32.0.1/12; net:10.40.0.0/16 or net:default for what there is of that subnet',
});

export const ConnectRequest = Type.Object({
  peers: Type.Array(Type.String(), {
    minItems: 1,
    maxItems: 1024,
    description: 'host, host:port or [IPv6]:port',
  }),
  replace: Type.Optional(Type.Boolean({ description: 'forget all other targets' })),
});
export type ConnectRequest = Static<typeof ConnectRequest>;

export const ForgetRequest = Type.Object({
  peers: Type.Array(Type.String(), { minItems: 1, maxItems: 1024 }),
});

export const AttachRequest = Type.Object({
  target: Type.String({ minLength: 1, maxLength: 4096 }),
  addresses: Type.Array(Type.String(), {
    maxItems: 256,
    description: 'such as 10.32.0.1/12; net:10.40.0.0/16 or net:default for one of that subnet',
  }),
  network: Type.Optional(Type.String({ maxLength: 64 })),
  interface: Type.Optional(Type.String({ minLength: 1, maxLength: 15 })),
  mac: Type.Optional(
    Type.String({ maxLength: 32, description: 'of the interface; default: the one that it had, or any' }),
  ),
  floating: Type.Optional(
    Type.Boolean({
      description:
        'these addresses (without any: all) go to whoever announces them last; default: as they were',
    }),
  ),
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 63 })),
  hostname: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
  multicastRoute: Type.Optional(Type.Boolean({ description: 'default: true' })),
  dns: Type.Optional(Type.Boolean({ description: 'whether others find it by its names; default: true' })),
  labels: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      description:
        'at most 16, of 4,096 bytes; they take the place of those that it was given before; default: as they were',
    }),
  ),
});
export type AttachRequest = Static<typeof AttachRequest>;

export const DetachRequest = Type.Object({
  target: Type.String({ minLength: 1, maxLength: 4096 }),
  addresses: Type.Optional(Addresses),
  interface: Type.Optional(Type.String({ minLength: 1, maxLength: 15 })),
});
export type DetachRequest = Static<typeof DetachRequest>;

export const TokenRequest = Type.Object({
  addresses: Type.Optional(
    Type.Array(Type.String(), { maxItems: 16, description: 'host[:port] of this router' }),
  ),
});
export type TokenRequest = Static<typeof TokenRequest>;

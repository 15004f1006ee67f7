/** Every message of the forwarder's control socket (docs/forwarder.md) as a schema, and the types that follow from them. */
import Type, { type Static, type TSchema } from 'typebox';
import { validator } from '../validate.js';

export const PROTOCOL = 1;

const Peer = Type.String({ pattern: '^[0-9a-f]{16}$' });
const Mac = Type.String({ pattern: '^[0-9a-f]{2}(:[0-9a-f]{2}){5}$' });
const Count = Type.Integer({ minimum: 0 });
const Nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);

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

const Hello = Type.Object({
  protocol: Type.Integer(),
  version: Type.String(),
  pid: Count,
  port: Count,
  workers: Count,
  startedAt: Type.Union([Type.Number(), Type.String()]),
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
  role: Type.Union([Type.Literal('initiator'), Type.Literal('responder')]),
  sealing: Type.Boolean(),
  sentPackets: Count,
  trusted: Type.Array(Type.String()),
  age: Type.Number(),
});

const Transport = Type.Union([Type.Literal('udp'), Type.Literal('tcp')]);

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
  mtu: Count,
  queues: Count,
  /** Seen on this host's side of the segment: another way to a router, or back to this one. */
  loop: Nullable(Type.Object({ with: Peer, muted: Type.Boolean() })),
});

const Dump = Type.Object({ peers: Type.Array(PeerState), networks: Type.Array(NetworkState) });
const Probe = Type.Object({ id: Count });
const Macs = Type.Object({
  macs: Type.Array(Type.Object({ network: Count, mac: Mac, peer: Nullable(Peer), age: Type.Number() })),
});
const Groups = Type.Object({
  /** Null while it is not known which groups are wanted here. */
  networks: Type.Array(Type.Object({ network: Count, groups: Nullable(Type.Array(Type.String())) })),
});
const Counters = Type.Record(Type.String(), Type.Number());
const Stats = Type.Object({
  counters: Counters,
  workers: Type.Array(Type.Record(Type.String(), Type.Unknown())),
});

/** What answers carry, by `op`; an op that is not here answers with nothing of interest. */
export const answers = {
  hello: validator('forwarder-protocol', "the forwarder's answer to hello", Hello),
  dump: validator('forwarder-protocol', "the forwarder's dump", Dump),
  probe: validator('forwarder-protocol', "the forwarder's answer to probe", Probe),
  macs: validator('forwarder-protocol', "the forwarder's list of MACs", Macs),
  groups: validator('forwarder-protocol', "the forwarder's list of groups", Groups),
  stats: validator('forwarder-protocol', "the forwarder's statistics", Stats),
};

export type ForwarderHello = Static<typeof Hello>;
export type ForwarderDump = Static<typeof Dump>;
export type ForwarderMacs = Static<typeof Macs>;
export type ForwarderGroups = Static<typeof Groups>;
export type ForwarderStats = Static<typeof Stats>;

const events = {
  'peer-up': Type.Object({ peer: Peer, endpoint: Nullable(Type.String()), rtt: Nullable(Type.Number()) }),
  'peer-down': Type.Object({ peer: Peer }),
  endpoint: Type.Object({ peer: Peer, endpoint: Type.String(), reason: Type.String() }),
  'stream-lost': Type.Object({ peer: Peer }),
  transport: Type.Object({ peer: Peer, transport: Transport }),
  direct: Type.Object({ peer: Peer, answers: Type.Boolean() }),
  probed: Type.Object({ peer: Peer, id: Count, rtt: Type.Number() }),
  'path-mtu': Type.Object({ peer: Peer, pathMtu: Count }),
  'key-confirmed': Type.Object({ peer: Peer, localIndex: Count }),
  'key-expiring': Type.Object({ peer: Peer, localIndex: Count }),
  observed: Type.Object({ peer: Peer, address: Type.String() }),
  'mac-moved': Type.Object({ network: Count, mac: Mac, from: Nullable(Peer), to: Nullable(Peer) }),
  'mac-seen': Type.Object({ network: Count, mac: Nullable(Mac) }),
  refused: Type.Object({ network: Count, mac: Mac, address: Nullable(Type.String()) }),
  groups: Type.Object({ network: Count, groups: Type.Array(Type.String()) }),
  loop: Type.Object({ network: Count, peer: Nullable(Peer), muted: Type.Boolean() }),
  'loop-over': Type.Object({ network: Count }),
  storm: Type.Object({ network: Count, limit: Count }),
  'tap-lost': Type.Object({ network: Count }),
};

type EventSchemas = typeof events;
export type ForwarderEventName = keyof EventSchemas;
/** An event as it comes: its name with its fields. */
export type ForwarderEvent = {
  [Name in ForwarderEventName]: { readonly name: Name; readonly fields: Static<EventSchemas[Name]> };
}[ForwarderEventName];

const eventValidators = new Map(
  Object.entries(events).map(([name, schema]) => [
    name,
    validator('forwarder-protocol', `the forwarder's event ${name}`, schema),
  ]),
);

/** The event in a line with `event`; undefined for names that this version does not know. Throws `forwarder-protocol`. */
export function parseEvent(name: string, line: object): ForwarderEvent | undefined {
  const fields = eventValidators.get(name)?.(line);
  return fields === undefined ? undefined : ({ name, fields } as ForwarderEvent);
}

const Envelope = Type.Object({
  id: Type.Optional(Type.Integer()),
  event: Type.Optional(Type.String()),
  ok: Type.Optional(Type.Object({})),
  error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
});
/** The outermost layer of a line: an answer or an event. */
export const parseEnvelope = validator('forwarder-protocol', "the forwarder's message", Envelope);

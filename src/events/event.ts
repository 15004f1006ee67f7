/** What may happen to a router, as schemas: docs/observe.md lists the same, and a test keeps the two together. */
import Type, { type Static } from 'typebox';

/** Of the lines, whatever their kind. A kind or a field that is added does not change it; one that means something else does. */
export const EVENTS_VERSION = 1;

const PEER = {
  peer: Type.String({ description: 'id of the other router' }),
  nickname: Type.String({ description: 'what it calls itself; empty where that is not known' }),
};
const Network = Type.String({
  description: 'name of the network, or its number where the name is not known',
});
const Path = Type.Union(
  [
    Type.Literal('direct'),
    Type.Literal('plain'),
    Type.Literal('kernel'),
    Type.Literal('relay'),
    Type.Literal('tcp'),
    Type.Literal('none'),
  ],
  { description: '`direct` over UDP, `plain` the same without encryption, `relay`, `tcp`, or `none`' },
);
export type PathWord = Static<typeof Path>;
const CONTAINER = {
  container: Type.String({ description: 'id of the container, or how its namespace was named' }),
  name: Type.Union([Type.String(), Type.Null()], { description: 'what others call it' }),
  network: Network,
  interface: Type.String({ description: 'name of the interface in the container' }),
  mac: Type.String({ description: 'MAC of the interface' }),
  addresses: Type.Array(Type.String(), { description: 'with prefix length' }),
  labels: Type.Record(Type.String(), Type.String()),
};
const NAME = {
  ...PEER,
  name: Type.String({ description: 'below the domain' }),
  network: Network,
  container: Type.String({ description: 'whose name it is, as the host that gave it says' }),
};
const Addresses = Type.Array(Type.String(), { description: 'what the name stands for' });
const RANGES = {
  ranges: Type.Array(Type.String(), { description: 'first and last address, or the only one' }),
  count: Type.Integer({ description: 'how many addresses that are' }),
};

/** The details of each kind. */
export const KINDS = {
  'router-up': Type.Object({
    nickname: Type.String({ description: 'of this router' }),
    software: Type.String({ description: 'version of weft' }),
    adopted: Type.Boolean({ description: 'its forwarder was at work before' }),
  }),
  'router-down': Type.Object({ forget: Type.Boolean({ description: 'it leaves the network for good' }) }),
  'peer-joined': Type.Object(PEER),
  'peer-left': Type.Object({
    ...PEER,
    how: Type.Union([Type.Literal('left'), Type.Literal('lost')], {
      description: '`left`: it said so; `lost`: nobody reached it for a while',
    }),
  }),
  'peer-expelled': Type.Object({
    ...PEER,
    by: Type.String({ description: 'id of the router that said so' }),
    how: Type.Union([Type.Literal('expelled'), Type.Literal('removed')], {
      description: '`removed`: as dead, it may come back',
    }),
  }),
  'path-changed': Type.Object({
    ...PEER,
    path: Path,
    before: Path,
    via: Type.Union([Type.String(), Type.Null()], { description: 'nickname of the relay' }),
    reason: Type.Union([Type.String(), Type.Null()], { description: 'why it is not direct' }),
    changes: Type.Integer({ description: 'how many changes this event stands for' }),
  }),
  'mtu-changed': Type.Object({
    ...PEER,
    mtu: Type.Integer({ description: 'bytes of the largest packet that passes to it' }),
    before: Type.Union([Type.Integer(), Type.Null()], { description: 'null where it was not known' }),
    changes: Type.Integer({ description: 'how many changes this event stands for' }),
  }),
  'container-attached': Type.Object(CONTAINER),
  'container-changed': Type.Object(CONTAINER),
  'container-detached': Type.Object(CONTAINER),
  'name-added': Type.Object({ ...NAME, addresses: Addresses }),
  'name-changed': Type.Object({ ...NAME, addresses: Addresses }),
  'name-removed': Type.Object(NAME),
  'addresses-received': Type.Object({
    peer: Type.Union([Type.String(), Type.Null()], {
      description: 'id of the router whose they were; null: nobody’s, the range was split just now',
    }),
    nickname: PEER.nickname,
    ...RANGES,
  }),
  'addresses-given': Type.Object({ ...PEER, ...RANGES }),
  'address-moved': Type.Object({
    ...PEER,
    network: Network,
    address: Type.String(),
    mac: Type.String({ description: 'the MAC that has it now' }),
  }),
  'loop-found': Type.Object({
    network: Network,
    peer: Type.Union([Type.String(), Type.Null()], {
      description: 'id of the router with which it is; null: in the bridges of this host',
    }),
    muted: Type.Boolean({ description: 'this host stops carrying what goes to everybody' }),
  }),
  'loop-over': Type.Object({ network: Network }),
  'forwarder-ready': Type.Object({ pid: Type.Integer(), adopted: Type.Boolean() }),
  'forwarder-lost': Type.Object({}),
  'plugin-failed': Type.Object({
    plugin: Type.String({ description: 'which one' }),
    message: Type.String({ description: 'what failed, and why' }),
  }),
  omitted: Type.Object({
    of: Type.String({ description: 'kind of the events' }),
    count: Type.Integer({ description: 'how many there were in the last seconds, beyond what is told' }),
  }),
};
type Kinds = typeof KINDS;
export type EventKind = keyof Kinds;
export type EventDetails<Kind extends EventKind> = Static<Kinds[Kind]>;

/** Something that happened. */
export type WeftEvent = {
  readonly [Kind in EventKind]: {
    readonly version: number;
    /** Random for each run of the daemon. */
    readonly run: string;
    /** From 1 in each run, without gaps. */
    readonly seq: number;
    /** ISO 8601, UTC. */
    readonly time: string;
    readonly kind: Kind;
    /** Whom it is about: events of one subject keep their order everywhere. */
    readonly subject: string;
    readonly details: EventDetails<Kind>;
  };
}[EventKind];

/** What a reader gets in place of events that it cannot get any more. */
export const LostLine = Type.Object({
  version: Type.Integer(),
  run: Type.String(),
  kind: Type.Literal('lost'),
  reason: Type.Union([Type.Literal('forgotten'), Type.Literal('slow'), Type.Literal('restarted')], {
    description:
      '`forgotten`: they are kept no longer; `slow`: the reader did not read; `restarted`: they are of another run',
  }),
  from: Type.Union([Type.Integer(), Type.Null()], {
    description: 'sequence number of the first; null: not known',
  }),
  to: Type.Union([Type.Integer(), Type.Null()], { description: 'of the last' }),
});
export type LostLine = Static<typeof LostLine>;

/** What `GET /events` answers, a line each. */
export type EventLine = WeftEvent | LostLine;

/**
 * Every operation of the forwarder's control socket: what it takes, and what it answers with. The other end is
 * native/src/control/requests.h; test/fixtures/control-socket.json holds both to the same examples.
 */
import Type, { type Static, type TSchema } from 'typebox';
import { validator } from '../../validate.js';
import { Dump, EndpointTable, Groups, Hello, Macs, Stats } from './reports.js';
import {
  Addresses,
  Candidates,
  Count,
  Key16,
  Key32,
  KeyIndex,
  Mac,
  Mtu,
  NetworkNumber,
  Nullable,
  Peer,
  Role,
  Subnets,
  UnicastMac,
} from './values.js';

/** No fields; as an answer it says that it is done. */
const Nothing = Type.Object({});
const OfPeer = Type.Object({ peer: Peer });
/** A packet with all headers must still fit a datagram. */
const ProbeMtu = Type.Integer({ minimum: 576, maximum: 65_000 });
const HailNumber = Type.Integer({ minimum: 0, maximum: 0xffff_ffff });
const OfNetwork = Type.Object({ network: NetworkNumber });

const PeerSetting = Type.Object({
  peer: Peer,
  /** Best first. */
  endpoints: Candidates,
  networks: Type.Array(NetworkNumber),
  mtu: Type.Optional(Mtu),
  via: Type.Optional(Nullable(Peer)),
  keepalive: Type.Optional(Type.Integer({ minimum: 50, maximum: 600_000 })),
});

const KeySetting = Type.Object({
  peer: Peer,
  localIndex: KeyIndex,
  remoteIndex: KeyIndex,
  cipher: Type.String(),
  sealKey: Key32,
  openKey: Key32,
  hopSealKey: Key16,
  hopOpenKey: Key16,
  role: Role,
  trusted: Type.Optional(Subnets),
  peerTrusts: Type.Optional(Subnets),
});

const EndpointSetting = Type.Object({
  network: NetworkNumber,
  mac: UnicastMac,
  addresses: Addresses,
  /** Null: attached to this host. */
  peer: Nullable(Peer),
});

const KernelPathSetting = Type.Object({
  network: NetworkNumber,
  peer: Peer,
  /** Of the peer's router, and of this one. */
  mac: UnicastMac,
  source: UnicastMac,
  /** Of the overlay: probes are as large as a full frame of a container. */
  mtu: Mtu,
});

export const OPERATIONS = {
  hello: { request: Type.Object({ protocol: Count }), answer: Hello },
  subscribe: { request: Nothing, answer: Nothing },
  self: { request: OfPeer, answer: Nothing },
  tap: { request: Type.Object({ network: NetworkNumber, name: Type.String() }), answer: Nothing },
  'network.remove': { request: OfNetwork, answer: Nothing },
  'network.mtu': { request: Type.Object({ network: NetworkNumber, mtu: Mtu }), answer: Nothing },
  'peer.set': { request: PeerSetting, answer: Nothing },
  'peer.remove': { request: OfPeer, answer: Nothing },
  punch: { request: OfPeer, answer: Nothing },
  probe: {
    request: Type.Object({ ...OfPeer.properties, mtu: Type.Optional(ProbeMtu) }),
    answer: Type.Object({ id: Count }),
  },
  hail: {
    request: Type.Object({ ...OfPeer.properties, network: NetworkNumber, number: HailNumber }),
    answer: Type.Object({ sent: Type.Boolean() }),
  },
  'key.set': { request: KeySetting, answer: Nothing },
  'key.remove': { request: Type.Object({ localIndex: KeyIndex }), answer: Nothing },
  'stream.set': { request: OfPeer, answer: Nothing },
  'stream.remove': { request: OfPeer, answer: Nothing },
  'endpoint.set': { request: EndpointSetting, answer: Nothing },
  'endpoint.remove': { request: Type.Object({ network: NetworkNumber, mac: Mac }), answer: Nothing },
  'endpoint.clear': { request: Nothing, answer: Nothing },
  endpoints: { request: Nothing, answer: EndpointTable },
  announce: {
    request: Type.Object({ network: NetworkNumber, mac: Mac, addresses: Addresses }),
    answer: Nothing,
  },
  'peer.groups': {
    request: Type.Object({ network: NetworkNumber, peer: Peer, groups: Nullable(Addresses) }),
    answer: Nothing,
  },
  groups: { request: Nothing, answer: Groups },
  'kernel-path.open': {
    request: Type.Object({ network: NetworkNumber, name: Type.String() }),
    answer: Nothing,
  },
  'kernel-path.close': { request: OfNetwork, answer: Nothing },
  'kernel-path.set': { request: KernelPathSetting, answer: Nothing },
  'kernel-path.remove': { request: Type.Object({ network: NetworkNumber, peer: Peer }), answer: Nothing },
  'offload.set': { request: Type.Object({ name: Type.String(), enabled: Type.Boolean() }), answer: Nothing },
  'storm.set': {
    request: Type.Object({ limit: Type.Integer({ minimum: 0, maximum: 0xffff_ffff }) }),
    answer: Nothing,
  },
  dump: { request: Nothing, answer: Dump },
  macs: { request: Nothing, answer: Macs },
  stats: { request: Nothing, answer: Stats },
  stop: { request: Nothing, answer: Nothing },
} as const satisfies Record<string, { readonly request: TSchema; readonly answer: TSchema }>;

export type Operation = keyof typeof OPERATIONS;

/** A value that is given away to be read only. */
type Given<T> = T extends readonly (infer Item)[]
  ? readonly Given<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Given<T[Key]> }
    : T;

type Fields<S extends TSchema> = keyof Static<S> extends never ? Record<string, never> : Given<Static<S>>;

/** The fields of a request. They are not checked again on their way out: the compiler did, and there may be very many. */
export type RequestOf<Op extends Operation> = Fields<(typeof OPERATIONS)[Op]['request']>;

/** What a request is answered with. */
export type AnswerOf<Op extends Operation> = keyof Static<(typeof OPERATIONS)[Op]['answer']> extends never
  ? undefined
  : Static<(typeof OPERATIONS)[Op]['answer']>;

const readers = new Map(
  Object.entries(OPERATIONS).map(([op, { answer }]): [string, (ok: object) => unknown] => [
    op,
    answer === Nothing
      ? () => undefined
      : validator('forwarder-protocol', `the forwarder's answer to ${op}`, answer),
  ]),
);

/** Takes the `ok` of an answer. Throws `forwarder-protocol`. */
export function readAnswer<Op extends Operation>(op: Op, ok: object): AnswerOf<Op> {
  return readers.get(op)?.(ok) as AnswerOf<Op>;
}

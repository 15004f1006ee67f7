/** What Docker sends, as schemas: nothing else gets past the socket. */
import Type, { type Static, type TSchema } from 'typebox';

const Id = Type.String({ pattern: '^[0-9a-zA-Z]{1,64}$' });
const Address = Type.String({ maxLength: 64 });
const PoolId = Type.String({ maxLength: 256 });
const Options = Type.Optional(Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]));

export const PoolRequestBody = Type.Object({
  AddressSpace: Type.String({ maxLength: 64 }),
  Pool: Address,
  SubPool: Type.Optional(Address),
  Options,
  V6: Type.Optional(Type.Boolean()),
});
export type PoolRequestBody = Static<typeof PoolRequestBody>;

export const PoolReleaseRequest = Type.Object({ PoolID: PoolId });
export type PoolReleaseRequest = Static<typeof PoolReleaseRequest>;

export const AddressRequest = Type.Object({ PoolID: PoolId, Address: Type.Optional(Address), Options });
export type AddressRequest = Static<typeof AddressRequest>;

export const AddressReleaseRequest = Type.Object({ PoolID: PoolId, Address });
export type AddressReleaseRequest = Static<typeof AddressReleaseRequest>;

const IpamData = Type.Object({
  AddressSpace: Type.Optional(Type.String()),
  Pool: Type.Optional(Address),
  Gateway: Type.Optional(Address),
  AuxAddresses: Type.Optional(Type.Union([Type.Record(Type.String(), Address), Type.Null()])),
});
export type IpamData = Static<typeof IpamData>;
const Data = Type.Optional(Type.Union([Type.Array(IpamData, { maxItems: 16 }), Type.Null()]));

export const NetworkRequest = Type.Object({ NetworkID: Id, Options, IPv4Data: Data, IPv6Data: Data });
export type NetworkRequest = Static<typeof NetworkRequest>;

export const NetworkReference = Type.Object({ NetworkID: Id });
export type NetworkReference = Static<typeof NetworkReference>;

export const EndpointRequest = Type.Object({
  NetworkID: Id,
  EndpointID: Id,
  Interface: Type.Object({
    Address: Type.Optional(Address),
    AddressIPv6: Type.Optional(Address),
    MacAddress: Type.Optional(Address),
  }),
  Options,
});
export type EndpointRequest = Static<typeof EndpointRequest>;

export const JoinRequest = Type.Object({
  NetworkID: Id,
  EndpointID: Id,
  SandboxKey: Type.String({ maxLength: 4_096 }),
});
export type JoinRequest = Static<typeof JoinRequest>;

export const EndpointReference = Type.Object({ NetworkID: Id, EndpointID: Id });
export type EndpointReference = Static<typeof EndpointReference>;

/** One method of a plugin. */
export interface Method {
  /** Of the request; null for one that needs none. */
  readonly body: TSchema | null;
  /** The body fits the schema. */
  readonly answer: (body: unknown) => Promise<object>;
}

export type Methods = Readonly<Record<string, Method>>;

/** A method whose request has a body of this form. */
export function method<S extends TSchema>(body: S, answer: (body: Static<S>) => Promise<object>): Method {
  return { body, answer: (checked) => answer(checked as Static<S>) };
}

/** A method whose answer is always the same, whatever is sent. */
export function constant(value: object): Method {
  return { body: null, answer: async () => value };
}

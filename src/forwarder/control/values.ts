/** How ids, addresses and keys look on the control socket. */
import Type, { type TSchema } from 'typebox';

export const Nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);

export const Count = Type.Integer({ minimum: 0 });
export const Peer = Type.String({ pattern: '^[0-9a-f]{16}$' });
export const Mac = Type.String({ pattern: '^[0-9a-f]{2}(:[0-9a-f]{2}){5}$' });
/** Of one interface, not of a group. */
export const UnicastMac = Type.String({ pattern: '^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$' });
export const NetworkNumber = Type.Integer({ minimum: 0, maximum: 65_535 });
/** Below what IPv4 and IPv6 need, no frame of a container would pass. */
export const Mtu = Type.Integer({ minimum: 576, maximum: 65_535 });
export const KeyIndex = Type.Integer({ minimum: 1, maximum: 0xffff_ffff });
export const Role = Type.Union([Type.Literal('initiator'), Type.Literal('responder')]);
export const Transport = Type.Union([Type.Literal('udp'), Type.Literal('tcp')]);

const Address = Type.Union([Type.String({ format: 'ipv4' }), Type.String({ format: 'ipv6' })]);
export const Addresses = Type.Array(Address, { maxItems: 256 });

/** `1.2.3.4:6783` or `[fe80::1%eth0]:6783`. */
const Endpoint = Type.String({
  pattern: '^([0-9]+(\\.[0-9]+){3}|\\[[0-9a-f:.]+(%[^\\]]+)?\\]):[1-9][0-9]{0,4}$',
});
export const Candidates = Type.Array(Endpoint, { maxItems: 32 });

/** `10.0.0.0/8` */
const Subnet = Type.String({ pattern: '^[0-9a-f:.]+/[0-9]{1,3}$' });
export const Subnets = Type.Array(Subnet, { maxItems: 32 });

/** Base64 of so many bytes. */
export const Key32 = Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$' });
export const Key16 = Type.String({ pattern: '^[A-Za-z0-9+/]{22}==$' });

/** What the forwarder tells unasked. */
import Type, { type Static } from 'typebox';
import { validator } from '../../validate.js';
import { Count, Mac, Nullable, Peer, Transport } from './values.js';

const PeerChange = Type.Object({
  peer: Peer,
  endpoint: Nullable(Type.String()),
  rtt: Nullable(Type.Number()),
});

/** The fields of every event, by its name. */
export const EVENTS = {
  'peer-up': PeerChange,
  'peer-down': PeerChange,
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
  hail: Type.Object({ peer: Peer, network: Count, number: Count }),
  storm: Type.Object({ network: Count, limit: Count }),
  'kernel-path': Type.Object({
    network: Count,
    peer: Peer,
    up: Type.Boolean(),
    rtt: Nullable(Type.Number()),
  }),
  'kernel-path-lost': Type.Object({ network: Count }),
  'tap-lost': Type.Object({ network: Count }),
};

type EventSchemas = typeof EVENTS;
export type ForwarderEventName = keyof EventSchemas;
/** An event as it comes: its name with its fields. */
export type ForwarderEvent = {
  [Name in ForwarderEventName]: { readonly name: Name; readonly fields: Static<EventSchemas[Name]> };
}[ForwarderEventName];

const eventValidators = new Map(
  Object.entries(EVENTS).map(([name, schema]) => [
    name,
    validator('forwarder-protocol', `the forwarder's event ${name}`, schema),
  ]),
);

/** The event in a line with `event`; undefined for names that this version does not know. Throws `forwarder-protocol`. */
export function parseEvent(name: string, line: object): ForwarderEvent | undefined {
  const fields = eventValidators.get(name)?.(line);
  return fields === undefined ? undefined : ({ name, fields } as ForwarderEvent);
}

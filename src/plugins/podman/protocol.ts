/** What Podman's netavark sends, as schemas: nothing else gets past them. */
import Type, { type Static } from 'typebox';

const Text = Type.String({ maxLength: 1_024 });
const Texts = Type.Array(Text, { maxItems: 64 });
const Options = Type.Optional(Type.Union([Type.Record(Type.String(), Text), Type.Null()]));

/** A network of Podman. What weft does not look at stays as it is. */
export const Network = Type.Object({
  name: Text,
  id: Text,
  driver: Text,
  subnets: Type.Optional(Type.Union([Type.Array(Type.Object({ subnet: Text })), Type.Null()])),
  internal: Type.Optional(Type.Boolean()),
  options: Options,
});
export type Network = Static<typeof Network>;

/** A container that is to be on a network, or leaves it. */
export const Setup = Type.Object({
  container_id: Text,
  container_name: Text,
  network: Network,
  network_options: Type.Object({
    aliases: Type.Optional(Type.Union([Texts, Type.Null()])),
    interface_name: Text,
    static_ips: Type.Optional(Type.Union([Texts, Type.Null()])),
    static_mac: Type.Optional(Type.Union([Text, Type.Null()])),
  }),
});
export type Setup = Static<typeof Setup>;

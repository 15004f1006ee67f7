/** What runtimes send, as schemas: nothing else gets past them. */
import Type, { type Static } from 'typebox';
import { WeftError } from '../../errors.js';
import { DEFAULT_NETWORK } from '../../networks/index.js';
import { validator } from '../../validate.js';
import { type CniVersion, isVersion, versionsText } from './versions.js';

/** How networks and containers are called. */
export const ID_PATTERN = '^[a-zA-Z0-9][a-zA-Z0-9_.\\-]*$';

const Texts = Type.Array(Type.String({ maxLength: 1_024 }), { maxItems: 64 });
const Address = Type.String({ maxLength: 64 });
const Chosen = {
  ips: Type.Optional(Type.Array(Address, { maxItems: 16 })),
  mac: Type.Optional(Type.String()),
};

const Dns = Type.Object({
  nameservers: Type.Optional(Texts),
  domain: Type.Optional(Type.String()),
  search: Type.Optional(Texts),
  options: Type.Optional(Texts),
});
export type Dns = Static<typeof Dns>;

const RuntimeConfig = Type.Object({
  ...Chosen,
  /** Podman gives those of each network, by its name. */
  aliases: Type.Optional(Type.Union([Texts, Type.Record(Type.String(), Texts)])),
  /** Some runtimes begin the names of its fields with a capital. */
  dns: Type.Optional(Type.Record(Type.String(), Type.Union([Texts, Type.Null()]))),
});

const Attachment = Type.Object({ containerID: Type.String(), ifname: Type.String() });
export type Attachment = Static<typeof Attachment>;
const Attachments = Type.Optional(Type.Array(Attachment));

const Ip = Type.Object({
  address: Address,
  gateway: Type.Optional(Address),
  interface: Type.Optional(Type.Integer({ minimum: 0 })),
});
const Route = Type.Object({ dst: Address, gw: Type.Optional(Type.Union([Address, Type.Null()])) });
const Interface = Type.Object({
  name: Type.String(),
  mac: Type.Optional(Type.String()),
  sandbox: Type.Optional(Type.String()),
});

/** What a plugin answers to ADD; fields that weft does not know stay as they are. */
export const CniResult = Type.Object({
  interfaces: Type.Optional(Type.Array(Interface, { maxItems: 64 })),
  ips: Type.Optional(Type.Array(Ip, { maxItems: 64 })),
  routes: Type.Optional(Type.Array(Route, { maxItems: 256 })),
  dns: Type.Optional(Dns),
});
export type CniResult = Static<typeof CniResult>;

const Configuration = Type.Object({
  cniVersion: Type.String(),
  name: Type.String({ pattern: ID_PATTERN, maxLength: 253 }),
  network: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  isDefaultGateway: Type.Optional(Type.Boolean()),
  dns: Type.Optional(Dns),
  args: Type.Optional(Type.Object({ cni: Type.Optional(Type.Object(Chosen)) })),
  runtimeConfig: Type.Optional(RuntimeConfig),
  prevResult: Type.Optional(CniResult),
  'cni.dev/valid-attachments': Attachments,
  /** As earlier texts of the specification call it. */
  'cni.dev/attachments': Attachments,
});

/** A network configuration, understood. */
export interface Configuration extends Omit<Static<typeof Configuration>, 'cniVersion'> {
  readonly cniVersion: CniVersion;
  /** Of weft. */
  readonly network: string;
  readonly isDefaultGateway: boolean;
}

const parse = validator('bad-cni-config', 'the network configuration', Configuration);
const parseIpam = validator('bad-cni-config', 'the result of the address plugin', CniResult);

/** Throws `bad-cni-config`. */
export function parseConfiguration(value: unknown): Configuration {
  const { network = DEFAULT_NETWORK, isDefaultGateway = true, cniVersion, ...rest } = parse(value);
  if (isVersion(cniVersion)) return { network, isDefaultGateway, cniVersion, ...rest };
  throw new WeftError(
    'cni-version',
    `weft does not know version ${cniVersion} of CNI: give one of ${versionsText()} as cniVersion`,
  );
}

/** The result of the plugin that gives addresses in place of weft. Throws `bad-cni-config`. */
export function parseIpamResult(value: unknown): CniResult {
  return parseIpam(value);
}

/** What a launch asks for, and the settings that follow from it and from earlier launches. */
import { hostname } from 'node:os';
import Type, { type Static } from 'typebox';
import { DEFAULT_DOMAIN } from '../../dns/index.js';
import {
  DEFAULT_STORM_LIMIT,
  MAX_STORM_LIMIT,
  MAX_UDP_PORTS,
  MAX_WORKERS,
  OFFLOADS,
} from '../../forwarder/limits.js';
import { DEFAULT_BRIDGE } from '../../hostnet/index.js';
import { DEFAULT_RANGE } from '../../ipam/index.js';
import { DEFAULT_PORT, DEFAULT_STATUS_ADDRESS } from '../../net/index.js';
import { validator } from '../../validate.js';

const Auto = Type.Literal('auto');

/** Everything that a launch can choose; what it does not choose stays as it was, or at its default. */
const Settings = Type.Object({
  port: Type.Integer({ minimum: 1, maximum: 65_535 }),
  bridge: Type.String(),
  nickname: Type.String({ minLength: 1, maxLength: 63 }),
  /** `auto`, or the only cipher to use. */
  cipher: Type.Union([
    Auto,
    Type.Literal('xsalsa20-poly1305'),
    Type.Literal('chacha20-poly1305'),
    Type.Literal('aes-256-gcm'),
  ]),
  /** Of the overlay: what containers get. */
  mtu: Type.Union([Auto, Type.Integer()]),
  logLevel: Type.Union([
    Type.Literal('error'),
    Type.Literal('warn'),
    Type.Literal('info'),
    Type.Literal('debug'),
  ]),
  /** Age of a session key at which a new one is agreed, in seconds. */
  rekeyInterval: Type.Integer({ minimum: 1, maximum: 3_600 }),
  workers: Type.Union([Auto, Type.Integer({ minimum: 1, maximum: MAX_WORKERS })]),
  /** From which packets leave: the router's own and further ones. */
  udpPorts: Type.Integer({ minimum: 1, maximum: MAX_UDP_PORTS }),
  disabledOffloads: Type.Array(Type.Union(OFFLOADS.map((name) => Type.Literal(name)))),
  /** Frames to everybody that a network may send in a second, for each worker; 0: as many as come. */
  stormLimit: Type.Integer({ minimum: 0, maximum: MAX_STORM_LIMIT }),
  /** `host[:port]` under which others reach this host; empty: its own addresses. */
  advertise: Type.Array(Type.String(), { maxItems: 16 }),
  /** Control links are made to members that are no targets, too. */
  discovery: Type.Boolean(),
  /** The cluster's API server says which nodes and policies there are. */
  kubernetes: Type.Boolean(),
  /** `KIND:ARGUMENT` of each source of targets. */
  discover: Type.Array(Type.String(), { maxItems: 16 }),
  /** Most control links; `auto`: as many as it takes. */
  connLimit: Type.Union([Auto, Type.Integer({ minimum: 1, maximum: 10_000 })]),
  /** Subnets in which data is not encrypted, where the other end lists ours, too. */
  trustedSubnets: Type.Array(Type.String(), { maxItems: 32 }),
  /** Frames stay in the kernel where both ends trust the wire. */
  fastDatapath: Type.Boolean(),
  /** Whose addresses are handed out to containers. */
  ipallocRange: Type.String(),
  /** Of the range, for whoever names no subnet; `auto`: all of it. */
  ipallocDefaultSubnet: Type.String(),
  /** `auto`, `consensus[=n]`, `seed=PEER,…` or `observer`: how the routers that share a password begin. */
  ipallocInit: Type.String(),
  /** Serve names to containers. */
  dns: Type.Boolean(),
  dnsDomain: Type.String(),
  /** Of answers about containers, in seconds. */
  dnsTtl: Type.Integer({ minimum: 0, maximum: 86_400 }),
  /** `address[:port]` of this host where the DNS server listens, too. */
  dnsListen: Type.Array(Type.String(), { maxItems: 16 }),
  /** Names the servers that answer for everything else. */
  resolvConf: Type.String({ pattern: '^/' }),
  /** Where metrics and health are served: an IP address of this host with a port, or `none`. */
  statusAddr: Type.String(),
  /** Whose programs are run when something happens. */
  hooksDir: Type.String({ pattern: '^/' }),
});
export type Settings = Static<typeof Settings>;

/** The part of the settings that somebody chose: what `launch.json` keeps. */
export const ChosenSettings = Type.Partial(Settings);
export type ChosenSettings = Static<typeof ChosenSettings>;

const LaunchRequest = Type.Object({
  runDir: Type.String({ pattern: '^/' }),
  stateDir: Type.String({ pattern: '^/' }),
  settings: ChosenSettings,
  /** Absent: the network of the last launch, else a new one. */
  network: Type.Optional(
    Type.Object({
      /** Also for a password: its secret as a token. */
      token: Type.String(),
      mode: Type.Union([Type.Literal('token'), Type.Literal('password')]),
    }),
  ),
  /** A new network is to have an administrator, whose key is in this file, or is made there. */
  adminKey: Type.Optional(Type.String({ pattern: '^/' })),
  /** Docker is served from now on, for this host's networks or those of a swarm. */
  docker: Type.Optional(Type.Union([Type.Literal('host'), Type.Literal('swarm')])),
  /** The targets, besides the addresses of the token; none: those that the router had last. */
  peers: Type.Array(Type.String()),
});
export type LaunchRequest = Static<typeof LaunchRequest>;

/** Throws `bad-launch`. */
export const parseLaunchRequest = validator('bad-launch', 'the launch request', LaunchRequest);

/** What is chosen now goes before what was chosen earlier, and that before the defaults. */
export function settle(chosen: ChosenSettings, earlier: ChosenSettings): Settings {
  return {
    port: DEFAULT_PORT,
    bridge: DEFAULT_BRIDGE,
    nickname: hostname().slice(0, 63),
    cipher: 'auto',
    mtu: 'auto',
    logLevel: 'info',
    rekeyInterval: 120,
    workers: 'auto',
    udpPorts: 1,
    disabledOffloads: [],
    stormLimit: DEFAULT_STORM_LIMIT,
    advertise: [],
    discovery: true,
    kubernetes: false,
    discover: [],
    connLimit: 'auto',
    trustedSubnets: [],
    fastDatapath: true,
    ipallocRange: DEFAULT_RANGE,
    ipallocDefaultSubnet: 'auto',
    ipallocInit: 'auto',
    dns: true,
    dnsDomain: DEFAULT_DOMAIN,
    dnsTtl: 1,
    dnsListen: [],
    resolvConf: '/etc/resolv.conf',
    statusAddr: DEFAULT_STATUS_ADDRESS,
    hooksDir: '/etc/weft/hooks.d',
    ...earlier,
    ...chosen,
  };
}

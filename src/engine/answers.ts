/** What engines answer, as Docker's API has it; Podman leaves out some fields. */

import Type, { type Static, type TSchema } from 'typebox';
import { shortId } from '../text/index.js';
import { validator } from '../validate.js';

const Id = Type.String({ pattern: '^[0-9a-f]{12,64}$' });

const Texts = Type.Record(Type.String(), Type.String());

/** What Docker and Podman call containers that had a process. */
const ENDED = new Set(['exited', 'stopped', 'restarting', 'removing', 'dead']);

/** Go writes null for what is empty. */
function absentOr<S extends TSchema>(schema: S) {
  return Type.Optional(Type.Union([schema, Type.Null()]));
}

const Joined = Type.Object({
  NetworkID: Type.Optional(Type.String()),
  EndpointID: Type.Optional(Type.String()),
  Aliases: absentOr(Type.Array(Type.String())),
});

const Inspected = Type.Object({
  Id,
  Name: Type.String(),
  Image: Type.Optional(Type.String()),
  State: Type.Object({
    Pid: Type.Integer({ minimum: 0 }),
    StartedAt: Type.Optional(Type.String()),
    Status: Type.Optional(Type.String()),
  }),
  Config: Type.Object({
    Hostname: Type.Optional(Type.String()),
    Domainname: Type.Optional(Type.String()),
    Labels: absentOr(Texts),
  }),
  NetworkSettings: absentOr(Type.Object({ Networks: absentOr(Type.Record(Type.String(), Joined)) })),
});
const parseContainer = validator('engine-answer', "the container engine's description", Inspected);

const Listed = Type.Array(Type.Object({ Id }));
const parseListed = validator('engine-answer', "the container engine's list", Listed);

const Image = Type.Object({ Config: absentOr(Type.Object({ Labels: absentOr(Texts) })) });
const parseImage = validator('engine-answer', "the container engine's description of an image", Image);

const Subnet = Type.Object({
  Subnet: Type.String(),
  IPRange: Type.Optional(Type.String()),
  Gateway: Type.Optional(Type.String()),
  AuxiliaryAddresses: absentOr(Texts),
});
const Network = Type.Object({
  Id: Type.String(),
  Name: Type.String(),
  Driver: Type.String(),
  Options: absentOr(Texts),
  IPAM: absentOr(Type.Object({ Config: absentOr(Type.Array(Subnet)) })),
  Containers: absentOr(Type.Record(Type.String(), Type.Object({ EndpointID: Type.Optional(Type.String()) }))),
});
const parseNetwork = validator('engine-answer', "the container engine's description of a network", Network);
const Networks = Type.Array(Type.Pick(Network, ['Id', 'Name']));
const parseNetworks = validator('engine-answer', "the container engine's list of networks", Networks);

const Made = Type.Object({ Id: Type.String() });
const parseMade = validator('engine-answer', "the container engine's answer", Made);

/** A container as its engine describes it. */
export interface EngineContainer {
  /** Of 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** Of its first process; undefined while it does not run. */
  readonly pid: number | undefined;
  /** It had a process, which has ended: it gets none unless it is started again. */
  readonly hasEnded: boolean;
  /** When it started last, ms since 1970, where the engine tells. */
  readonly startedAt?: number;
  /** With domain name, where it has one. */
  readonly hostname: string;
  /** As the engine calls it. */
  readonly image: string;
  /** Its own, and those of its image. */
  readonly labels: Readonly<Record<string, string>>;
  readonly networks: readonly EngineMembership[];
}

/** A network of the engine that a container is on. */
export interface EngineMembership {
  readonly name: string;
  /** Some versions of Podman call it by its name. Empty while the container does not run. */
  readonly networkId: string;
  /** Empty while the container does not run. */
  readonly endpointId: string;
  /** More names that whoever ran the container gave it there. */
  readonly aliases: readonly string[];
}

/** A network as its engine describes it. */
export interface EngineNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
  readonly subnets: readonly EngineSubnet[];
  /** Ids, also of containers that are being started. */
  readonly endpoints: readonly string[];
}

export interface EngineSubnet {
  readonly subnet: string;
  readonly ipRange?: string;
  readonly gateway?: string;
  /** Addresses that others have, by name. */
  readonly aux: Readonly<Record<string, string>>;
}

export function containerOf(answer: unknown): EngineContainer {
  const { Id, Name, Image = '', State, Config, NetworkSettings } = parseContainer(answer);
  const { Hostname = '', Domainname = '', Labels } = Config;
  const startedAt = Date.parse(State.StartedAt ?? '');
  return {
    id: Id,
    name: Name.replace(/^\//, ''),
    pid: State.Pid === 0 ? undefined : State.Pid,
    hasEnded: ENDED.has(State.Status ?? ''),
    ...(startedAt > 0 && { startedAt }),
    hostname: Domainname === '' ? Hostname : `${Hostname}.${Domainname}`,
    image: Image,
    labels: Labels ?? {},
    networks: Object.entries(NetworkSettings?.Networks ?? {}).map(([name, joined]) => ({
      name,
      networkId: joined.NetworkID ?? '',
      endpointId: joined.EndpointID ?? '',
      aliases: (joined.Aliases ?? []).filter((alias) => alias !== shortId(Id)), // older engines add it
    })),
  };
}

export function idsOf(answer: unknown): string[] {
  return parseListed(answer).map(({ Id }) => Id);
}

export function imageLabelsOf(answer: unknown): Readonly<Record<string, string>> {
  return parseImage(answer).Config?.Labels ?? {};
}

export function networkOf(answer: unknown): EngineNetwork {
  return described(parseNetwork(answer));
}

export function networksOf(answer: unknown): Pick<EngineNetwork, 'id' | 'name'>[] {
  return parseNetworks(answer).map(({ Id, Name }) => ({ id: Id, name: Name }));
}

export function madeOf(answer: unknown): string {
  return parseMade(answer).Id;
}

/** As engines want a subnet to be written. */
export function writtenSubnet({ subnet, ipRange, gateway, aux }: EngineSubnet): Static<typeof Subnet> {
  return {
    Subnet: subnet,
    ...(ipRange !== undefined && { IPRange: ipRange }),
    ...(gateway !== undefined && { Gateway: gateway }),
    AuxiliaryAddresses: aux,
  };
}

function described({ Id, Name, Driver, Options, IPAM, Containers }: Static<typeof Network>): EngineNetwork {
  return {
    id: Id,
    name: Name,
    driver: Driver,
    options: Options ?? {},
    subnets: (IPAM?.Config ?? []).map(({ Subnet, IPRange = '', Gateway = '', AuxiliaryAddresses }) => ({
      subnet: Subnet,
      ...(IPRange !== '' && { ipRange: IPRange }),
      ...(Gateway !== '' && { gateway: Gateway }),
      aux: AuxiliaryAddresses ?? {},
    })),
    endpoints: Object.values(Containers ?? {}).flatMap(({ EndpointID = '' }) => EndpointID || []),
  };
}

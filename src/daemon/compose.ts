import type { Ipam } from '../api/index.js';
import { messageOf } from '../errors.js';
/** All parts of one router, made of each other in the order of their need: the only place that knows everybody. */
import { Forwarder, ForwarderDataPlane, locateForwarder } from '../forwarder/index.js';
import * as hostnet from '../hostnet/index.js';
import {
  Firewall,
  forwardingPorts,
  isInSubnets,
  type LinkStates,
  linkLocalOf,
  linkStates,
  macOf,
  PolicyFilter,
  RESOLVER_MAC,
  underlayAddresses,
  waysTo,
} from '../hostnet/index.js';
import { announcementMarks } from '../identity/index.js';
import { Mesh } from '../mesh/index.js';
import { nativeProgram } from '../native-program.js';
import { allEnded } from '../order.js';
import { Overlay } from '../overlay/index.js';
import { CNI_PROGRAM, CniPlugin } from '../plugins/cni/index.js';
import { Discovery, parseSource, pause } from '../plugins/discovery/index.js';
import { DockerPlugin } from '../plugins/docker/index.js';
import { Hooks } from '../plugins/hooks/index.js';
import type { KubernetesPlugin } from '../plugins/kubernetes/index.js';
import { LabelledContainers } from '../plugins/labels/index.js';
import { Netavark } from '../plugins/podman/index.js';
import { weftVersion } from '../version.js';
import { Addresses, AddressSource, rangesOf } from './addresses/index.js';
import { Attachments, Containers } from './attachments/index.js';
import { Checkup } from './checkup/index.js';
import { Exposures, Hairpins } from './exposures/index.js';
import { Happenings } from './happenings/index.js';
import { InsideSubnets } from './inside.js';
import { followKernelPaths, type KernelPaths, Retirement } from './kernel-paths/index.js';
import type { Plan } from './launch/index.js';
import { errorFields, type Log, logForwarder, logMesh, logOverlay } from './logging/index.js';
import { Custody, Endpoints, MacWatch, Refusals, reservedBy, reservedHolder } from './mac-routes/index.js';
import { KnownMembers, PeerPaths, Targets, Trust } from './membership/index.js';
import { Dns } from './names/index.js';
import { StatusPlace } from './observation/index.js';
import { Platforms } from './platforms/index.js';
import {
  AllPolicies,
  Enforcement,
  NO_SCHEDULER,
  Pods,
  Policies,
  PublishedPolicies,
} from './policies/index.js';
import { Networks, PublishedNetworks } from './segments/index.js';
import type { LaunchRequest } from './state/index.js';
import { runPaths } from './state/paths.js';

/** Number of routers that keep what others published and left behind. */
const KEEPERS = 3;

/** What parts are made from. */
export interface Materials {
  readonly request: LaunchRequest;
  readonly plan: Plan;
  /** Of the overlay: what containers get. */
  readonly mtu: number;
  readonly log: Log;
  /** Where the router is on a node of a cluster. */
  readonly kubernetes: KubernetesPlugin | undefined;
}

export type Parts = ReturnType<typeof compose>;

/** Makes all parts; none of them does anything yet. */
export function compose(materials: Materials) {
  const inside = new InsideSubnets(rangesOf(materials.plan.addresses));
  const control = composeControlPlane(materials, inside);
  const data = composeDataPlane(materials, control);
  const happenings = new Happenings(control.mesh.instance);
  const hooks = composeHooks(materials, happenings);
  const host = composeHost(materials, control, data, happenings);
  const outside = composeExposures(materials, { ...control, ...data, ...host }, inside);
  const kernelPaths = composeKernelPaths(materials, { ...control, ...data, ...host });
  const platforms = composePlatforms(materials, { ...data, ...host, ...outside }, happenings);
  materials.kubernetes?.on('trouble', (what) => happenings.pluginFailed('kubernetes', what));
  logMesh(control.mesh, materials.log);
  logOverlay(data.overlay, materials.log);
  logForwarder(data.forwarder, materials.log);
  return {
    ...materials,
    inside,
    happenings,
    hooks,
    ...control,
    ...data,
    ...host,
    ...outside,
    ...platforms,
    kernelPaths,
    retirement: new Retirement({
      owner: materials.plan.identity.peer,
      bridge: materials.plan.settings.bridge,
      onFailure: failure(materials.log, 'a kernel path of an earlier run is left'),
    }),
    paths: new PeerPaths(control.mesh, data.overlay, kernelPaths),
    statusPlace: statusPlace(materials),
    checkup: new Checkup({ ...control, ...data, names: host.names, mtu: materials.mtu }),
  };
}

function statusPlace({ request, plan, log }: Materials): StatusPlace {
  const chosenNow = request.settings.statusAddr !== undefined;
  return new StatusPlace({ address: plan.settings.statusAddr, chosenNow, log });
}

function composeHooks({ request, plan, log }: Materials, happenings: Happenings): Hooks {
  const hooks = new Hooks({
    directory: plan.settings.hooksDir,
    runDir: request.runDir,
    onFailure: (what) => log.warn(what),
    onOutput: (hook, line) => log.info(`hook ${hook}: ${line}`),
  });
  hooks.follow(happenings.journal);
  return hooks;
}

/** Who takes part, and how messages get to them. */
function composeControlPlane({ request, plan, mtu, log, kubernetes }: Materials, inside: InsideSubnets) {
  const { identity, network, settings, files } = plan;
  const { port, nickname, advertise, discovery, connLimit } = settings;
  const trust = new Trust({
    identity,
    network,
    stored: plan.trust,
    file: files.trust,
    stateDir: request.stateDir,
    log,
  });
  const mesh = new Mesh({
    identity,
    network,
    nickname,
    version: weftVersion(),
    port,
    mtu,
    endpoints: advertise,
    discovery,
    limits: connLimit === 'auto' ? {} : { connections: connLimit },
    admits: (peer, incarnation) => trust.admits(peer, incarnation),
    localAddresses: () => underlayAddresses(inside.all),
    isInside: (address) => isInSubnets(address, inside.all),
  });
  const members = new KnownMembers({
    mesh,
    file: files.members,
    onFailure: (error) => log.warn(`members are not saved: ${String(error)}`, errorFields(error)),
  });
  const sources = composeDiscovery({ plan, log, kubernetes }, { mesh, trust, inside });
  const targets = new Targets({
    mesh,
    file: files.targets,
    connected: plan.connected,
    sourcesOf: (target) => sources.sourcesOf(target),
  });
  return { trust, mesh, members, sources, targets };
}

/** Who else tells at which addresses other routers may be. */
function composeDiscovery(
  { plan, log, kubernetes }: Pick<Materials, 'plan' | 'log' | 'kubernetes'>,
  { mesh, trust, inside }: { mesh: Mesh; trust: Trust; inside: InsideSubnets },
): Discovery {
  const { identity, settings } = plan;
  const context = {
    peer: identity.peer,
    addresses: () => mesh.member(identity.peer)?.endpoints ?? [],
    port: settings.port,
    ownAddresses: async () => {
      const all = await underlayAddresses(inside.all);
      return all.filter(({ use }) => use !== 'spare').map(({ address }) => address);
    },
    marks: (text: string) => announcementMarks(trust.network, text),
    resolvConf: settings.resolvConf,
    pause,
  };
  return new Discovery({
    sources: [
      ...settings.discover.map((text) => parseSource(text)(context)),
      ...(kubernetes === undefined ? [] : [kubernetes.source]),
    ],
    onTargets: (targets) => mesh.discover(targets),
    onNotice: (text) => log.info(text),
    onTrouble: (text) => log.warn(text),
  });
}

/** What moves frames, and the networks that it moves them on. */
function composeDataPlane(
  { request, plan, mtu, log }: Materials,
  { mesh }: ReturnType<typeof composeControlPlane>,
) {
  const { identity, network, settings, files } = plan;
  const { cipher, trustedSubnets, rekeyInterval } = settings;
  const forwarder = new Forwarder(forwarderOptions(request.runDir, plan));
  const overlay = new Overlay({
    identity,
    network,
    mesh,
    dataPlane: new ForwarderDataPlane(forwarder),
    cipher,
    trustedSubnets,
    waysTo: (addresses) => waysTo(addresses, identity.peer),
    timings: { rekeyInterval: rekeyInterval * 1000 },
  });
  const records = new PublishedNetworks({
    identity,
    mesh,
    file: files.networks,
    onFailure: failure(log, 'a record of a network is lost'),
  });
  const networks = new Networks({
    bridge: settings.bridge,
    owner: identity.peer,
    mtu,
    forwarder,
    host: hostnet,
    records,
    onSegments: (numbers) => overlay.setNetworks(numbers),
    isKeeper: () => isAmongFirst(mesh, KEEPERS),
    onFailure: failure(log, 'a network cannot be served'),
  });
  const publishedPolicies = new PublishedPolicies({
    identity,
    mesh,
    file: files.policies,
    isKeeper: () => isAmongFirst(mesh, KEEPERS),
    onFailure: failure(log, 'a policy is lost'),
  });
  return {
    forwarder,
    overlay,
    records,
    networks,
    publishedPolicies,
  };
}

type Wire = ReturnType<typeof composeControlPlane> & ReturnType<typeof composeDataPlane>;

/** The containers of this host: their addresses, their interfaces, what others hear of them, and their names. */
function composeHost(
  { request, plan, mtu, log, kubernetes }: Materials,
  { mesh }: ReturnType<typeof composeControlPlane>,
  { forwarder, networks, publishedPolicies }: ReturnType<typeof composeDataPlane>,
  happenings: Happenings,
) {
  const { identity, settings, files } = plan;
  const containers = new Containers();
  const addresses = new Addresses({
    identity,
    mesh,
    plan: plan.addresses,
    ring: plan.ring,
    targets: plan.targets,
    file: files.vote,
    log,
  });
  const addressSource = new AddressSource({
    networks,
    allocator: addresses,
    onRefused: (what, error) => failure(log, what)(error),
  });
  const self = identity.peer;
  const custody = new Custody({ bridge: settings.bridge, reserved: reservedBy(self), log });
  const endpoints = new Endpoints({ identity, mesh, forwarder, custody, bridgeMac: macOf });
  const refusals = new Refusals({
    holder: (claimed) => reservedHolder(self, claimed) ?? endpoints.holder(claimed),
    log,
  });
  const scheduler = kubernetes?.cluster ?? NO_SCHEDULER;
  const pods = new Pods(endpoints, scheduler);
  const allPolicies = new AllPolicies(publishedPolicies.book, scheduler);
  const enforcement = new Enforcement({
    filter: new PolicyFilter(settings.bridge, RESOLVER_MAC),
    policies: allPolicies,
    pods,
    log,
  });
  publishedPolicies.on('changed', () => enforcement.changed());
  kubernetes?.on('rules', () => enforcement.changed());
  endpoints.on('changed', () => enforcement.changed());
  const attachments = new Attachments({
    owner: identity.peer,
    mtu,
    file: files.attachments,
    networks,
    containers,
    addresses: addressSource,
    macHolder: (network, mac, entry) => reservedHolder(self, mac) ?? endpoints.macHolder(network, mac, entry),
    addressHolder: (network, address) =>
      reservedHolder(self, address) ?? endpoints.addressHolder(network, address),
    told: () => allEnded([endpoints.told(), enforcement.settled()]).then(() => {}),
    custody,
    host: hostnet,
    onFailure: (what, error) => failure(log, what)(error),
  });
  endpoints.follow(attachments);
  pods.follow(attachments);
  networks.addUser(attachments);
  const macWatch = new MacWatch({
    now: () => performance.now(),
    ports: async (network, macs) => {
      const { bridge = null } = networks.list().find(({ number }) => number === network) ?? {};
      return bridge === null ? new Map() : await forwardingPorts(bridge, macs);
    },
    atPort: (port) => attachments.atPort(port),
    isGiven: (network, mac) => reservedHolder(self, mac) !== undefined || endpoints.isGiven(network, mac),
    present: () => attachments.present(),
    follow: (entry) => attachments.followMac(entry),
    onFailure: failure(log, 'a container whose MAC changed is not followed'),
  });
  const labelled = new LabelledContainers({
    isAttached: (id) => attachments.isAttached(id),
    attach: (request) => attachments.attach(request),
    onFailure: (container, error) => {
      const what = `${container} is not attached as its labels say: ${messageOf(error)}`;
      log.warn(what, errorFields(error));
      happenings.pluginFailed('labels', what);
    },
  });
  const names = new Dns({
    identity,
    mesh,
    mtu,
    settings,
    listenChosen: request.settings.dnsListen !== undefined,
    file: files.names,
    attachments,
    networks,
    isGiven: (network, address) => endpoints.isGivenAddress(network, address),
    labelsOf: (network, addresses, peer) => endpoints.labelsOf(network, addresses, peer),
    log,
  });
  const policies = new Policies({
    published: publishedPolicies,
    all: allPolicies,
    flaws: () => kubernetes?.flaws() ?? [],
    enforcement,
    pods,
    names,
    attachments,
  });
  return {
    containers,
    addresses,
    addressSource,
    enforcement,
    policies,
    custody,
    endpoints,
    refusals,
    attachments,
    labelled,
    macWatch,
    names,
  };
}

/** The host itself on the networks, and the ways in and out of them. */
function composeExposures(
  { plan, log }: Materials,
  {
    networks,
    attachments,
    addressSource,
    endpoints,
    names,
    enforcement,
  }: Wire & ReturnType<typeof composeHost>,
  inside: InsideSubnets,
) {
  const { identity, settings, files } = plan;
  const firewall = new Firewall(settings.bridge);
  const links = (): Promise<LinkStates> => linkStates(settings.bridge, identity.peer);
  const exposures = new Exposures({
    firewall,
    host: hostnet,
    networks,
    addresses: addressSource,
    file: files.exposures,
    names,
    linkLocal: linkLocalOf(macOf(identity.peer)),
  });
  networks.addUser(exposures);
  inside.follow(exposures);
  endpoints.followHost(exposures);
  exposures.on('changed', () => enforcement.changed());
  const hairpins = new Hairpins({
    firewall,
    ports: () => attachments.ports(),
    isMasqueraded: (name) => exposures.masquerades(name),
    links,
    onFailure: failure(log, 'containers do not reach themselves by ports of this host'),
  });
  attachments.on('attached', () => hairpins.changed());
  attachments.on('detached', () => hairpins.changed());
  exposures.on('changed', () => hairpins.changed());
  return { exposures, hairpins, links };
}

/** What the kernel may carry by itself; undefined: nothing. */
function composeKernelPaths(
  { plan, mtu, log }: Materials,
  { mesh, overlay, forwarder, networks, endpoints }: Wire & ReturnType<typeof composeHost>,
): KernelPaths | undefined {
  const { identity, settings } = plan;
  const { bridge, port, trustedSubnets, fastDatapath } = settings;
  if (!fastDatapath || trustedSubnets.length === 0) return undefined;
  const parts = { mesh, overlay, forwarder, networks, endpoints, log };
  return followKernelPaths({ self: identity.peer, bridge, port, mtu, ...parts });
}

/** What serves platforms of containers. */
function composePlatforms(
  { request, plan, mtu, log, kubernetes }: Materials,
  parts: Pick<Wire, 'networks'> & ReturnType<typeof composeHost> & ReturnType<typeof composeExposures>,
  happenings: Happenings,
) {
  const { settings, files } = plan;
  const { networks, addresses, addressSource, attachments, exposures, containers } = parts;
  const platforms = new Platforms({
    mtu,
    plan: plan.addresses,
    domain: settings.dns ? settings.dnsDomain : null,
    networks,
    addresses: addressSource,
    obstacle: () => obstacleOf(addresses.status()),
    attachments,
    exposures,
  });
  const onFailure = (plugin: string) => (what: string, error: unknown) => {
    log.warn(`${what}: ${messageOf(error)}`, errorFields(error));
    happenings.pluginFailed(plugin, `${what}: ${messageOf(error)}`);
  };
  const docker = new DockerPlugin({
    host: platforms.host('docker'),
    file: files.docker,
    engines: containers,
    swarm: request.docker === 'swarm',
    onNotice: (what) => log.info(what),
    onFailure: onFailure('docker'),
  });
  const cni = new CniPlugin({
    host: platforms.host('cni'),
    file: files.cni,
    runDir: request.runDir,
    program: () => nativeProgram(CNI_PROGRAM),
    meet: async (pod) => await kubernetes?.meet(pod),
    onFailure: onFailure('cni'),
  });
  return { docker, cni, netavark: new Netavark(platforms.host('podman')) };
}

/** Why no addresses can be given. */
function obstacleOf({ founders, note }: Ipam): string | null {
  return founders.length > 0 ? null : `there is no address space yet${note === null ? '' : `: ${note}`}`;
}

function failure(log: Log, what: string): (error: unknown) => void {
  return (error) => log.error(`${what}: ${String(error)}`, errorFields(error));
}

/** Whether this router is one of the first by id of those that are present. */
function isAmongFirst(mesh: Mesh, count: number): boolean {
  const present = mesh.members().filter(({ left }) => !left);
  const self = present.find((member) => member.self);
  return self !== undefined && present.filter(({ peer }) => peer < self.peer).length < count;
}

function forwarderOptions(runDir: string, { settings, identity }: Plan) {
  const { forwarder, forwarderLog } = runPaths(runDir);
  return {
    binary: locateForwarder(),
    controlPath: forwarder,
    logPath: forwarderLog,
    port: settings.port,
    workers: settings.workers === 'auto' ? undefined : settings.workers,
    udpPorts: settings.udpPorts,
    disabledOffloads: settings.disabledOffloads,
    stormLimit: settings.stormLimit,
    self: identity.peer,
  };
}

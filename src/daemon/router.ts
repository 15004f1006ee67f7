import { parseTarget } from '../address.js';
import type {
  Attachment,
  AttachRequest,
  Connection,
  ConnectRequest,
  Datapath,
  DetachRequest,
  ExposureControl,
  NetworkCreateRequest,
  NetworkRemoveRequest,
  Peer,
  Report,
  RouterControl,
  Status,
  Stopped,
  Target,
  Token,
  TokenRequest,
  Version,
} from '../api/index.js';
import { WeftError } from '../errors.js';
import { Forwarder, ForwarderDataPlane, locateForwarder } from '../forwarder/index.js';
import {
  Firewall,
  forwardingPorts,
  isInSubnets,
  type LinkStates,
  linkStates,
  RESOLVER_MAC,
  removeInterfaces,
  underlayAddresses,
  waysTo,
} from '../hostnet/index.js';
import { Mesh } from '../mesh/index.js';
import { allEnded } from '../order.js';
import { Overlay } from '../overlay/index.js';
import { weftVersion } from '../version.js';
import { Addresses, AddressSource, rangesOf } from './addresses/index.js';
import { Attachments, Containers } from './attachments/index.js';
import { Exposures, Hairpins } from './exposures/index.js';
import type { Plan } from './launch/index.js';
import { errorFields, type Log, logForwarder, logMesh, logOverlay } from './logging/index.js';
import { Custody, Endpoints, MacWatch } from './mac-routes/index.js';
import { joinInvitation, KnownMembers, PeerPaths, Trust } from './membership/index.js';
import { Dns } from './names/index.js';
import { type Fault, Repairs } from './repairs/index.js';
import { mtuFor, Networks, PublishedNetworks } from './segments/index.js';
import type { LaunchRequest } from './state/index.js';
import { removeState } from './state/index.js';
import { runPaths } from './state/paths.js';
import { connectionView, datapathView, peerView, targetView } from './views.js';

/** How often to look whether bridges and containers are still there, in milliseconds. */
const CHECK_INTERVAL = 2_000;

/** All parts of one router, composed: the only place that knows everybody. */
export class Router implements RouterControl {
  readonly #request: LaunchRequest;
  readonly #plan: Plan;
  readonly #log: Log;
  /** Of the overlay: what containers get. */
  readonly mtu: number;
  readonly trust: Trust;
  readonly #mesh: Mesh;
  readonly #members: KnownMembers;
  readonly #forwarder: Forwarder;
  readonly #overlay: Overlay;
  readonly #containers = new Containers();
  readonly #records: PublishedNetworks;
  readonly #networks: Networks;
  readonly paths: PeerPaths;
  readonly addresses: Addresses;
  readonly #attachments: Attachments;
  readonly #exposures: Exposures;
  readonly #custody: Custody;
  readonly #hairpins: Hairpins;
  readonly #repairs: Repairs;
  readonly #endpoints: Endpoints;
  readonly #macWatch: MacWatch;
  /** Names of containers. */
  readonly names: Dns;
  readonly #startedAt = performance.now();
  #adopted = false;
  #starts = 0;
  #stopping = false;
  #check: NodeJS.Timeout | undefined;
  #checking: Promise<unknown> = Promise.resolve();
  /** Addresses in use are about to be claimed again. */
  #reclaiming: Promise<unknown> | undefined;
  #onStopped: () => void = () => {};
  /** Resolves once the router was stopped and everything is taken down. */
  readonly stopped = new Promise<void>((resolve) => {
    this.#onStopped = resolve;
  });

  private constructor(request: LaunchRequest, plan: Plan, mtu: number, log: Log) {
    this.#request = request;
    this.#plan = plan;
    this.#log = log;
    this.mtu = mtu;
    const { identity, network, settings, files } = plan;
    const { port, bridge, nickname, cipher } = settings;
    this.trust = new Trust({
      identity,
      network,
      statements: plan.statements,
      file: files.trust,
      stateDir: request.stateDir,
      log,
    });
    this.#mesh = new Mesh({
      identity,
      network,
      nickname,
      port,
      mtu,
      endpoints: settings.advertise,
      discovery: settings.discovery,
      limits: settings.connLimit === 'auto' ? {} : { connections: settings.connLimit },
      admits: (peer, incarnation) => this.trust.admits(peer, incarnation),
      localAddresses: () => underlayAddresses(this.#inside()),
      isInside: (address) => isInSubnets(address, this.#inside()),
    });
    this.#members = new KnownMembers({
      mesh: this.#mesh,
      file: files.members,
      onFailure: (error) => log.warn(`members are not saved: ${String(error)}`, errorFields(error)),
    });
    this.#forwarder = new Forwarder(forwarderOptions(request.runDir, plan));
    this.#overlay = new Overlay({
      identity,
      network,
      mesh: this.#mesh,
      dataPlane: new ForwarderDataPlane(this.#forwarder),
      cipher,
      trustedSubnets: settings.trustedSubnets,
      waysTo: (addresses) => waysTo(addresses, identity.peer),
      timings: { rekeyInterval: settings.rekeyInterval * 1000 },
    });
    const owner = identity.peer;
    const onFailure = (what: string) => (error: unknown) =>
      log.error(`${what}: ${String(error)}`, errorFields(error));
    this.#records = new PublishedNetworks({
      identity,
      mesh: this.#mesh,
      file: files.networks,
      onFailure: onFailure('a record of a network is lost'),
    });
    this.#networks = new Networks({
      bridge,
      owner,
      mtu,
      forwarder: this.#forwarder,
      records: this.#records,
      onSegments: (numbers) => this.#overlay.setNetworks(numbers),
      isUsed: (name) => this.#attachments.uses(name) || this.#exposures.uses(name),
      isKeeper: () => isAmongFirst(this.#mesh, KEEPERS),
      onFailure: onFailure('a network cannot be served'),
    });
    this.addresses = new Addresses({
      identity,
      mesh: this.#mesh,
      plan: plan.addresses,
      ring: plan.ring,
      targets: plan.targets,
      file: files.vote,
      log,
      onLost: () => void this.#reclaim().catch(onFailure('addresses in use are not claimed')),
    });
    const addresses = new AddressSource({
      networks: this.#networks,
      allocator: this.addresses,
      onRefused: (what, error) => onFailure(what)(error),
    });
    this.#custody = new Custody({
      bridge,
      atPort: (port) => {
        const { name, target } = this.#attachments.atPort(port) ?? {};
        return name ?? target ?? 'a container that left';
      },
      holder: (claimed) => this.#endpoints.holder(claimed),
      log,
    });
    this.#attachments = new Attachments({
      owner,
      mtu,
      file: files.attachments,
      networks: this.#networks,
      containers: this.#containers,
      addresses,
      macHolder: (network, mac, entry) => this.#endpoints.macHolder(network, mac, entry),
      told: () => this.#endpoints.told(),
      custody: this.#custody,
      onFailure: (what, error) => onFailure(what)(error),
    });
    const firewall = new Firewall(bridge);
    this.#hairpins = new Hairpins({
      firewall,
      ports: () => this.#attachments.ports(),
      isMasqueraded: (name) => this.#exposures.masquerades(name),
      links: () => this.#links(),
      onFailure: onFailure('containers do not reach themselves by ports of this host'),
    });
    for (const event of ['attached', 'detached'] as const) {
      this.#attachments.on(event, () => void this.#hairpins.settle());
    }
    this.#exposures = new Exposures({
      firewall,
      networks: this.#networks,
      addresses,
      file: files.exposures,
      names: () => this.names,
      onChanged: () => void this.#hairpins.settle(),
    });
    this.#endpoints = new Endpoints({
      identity,
      mesh: this.#mesh,
      forwarder: this.#forwarder,
      attachments: this.#attachments,
      custody: this.#custody,
    });
    this.#macWatch = new MacWatch({
      now: () => performance.now(),
      ports: async (network, macs) => {
        const { bridge = null } = this.#networks.list().find(({ number }) => number === network) ?? {};
        return bridge === null ? new Map() : await forwardingPorts(bridge, macs);
      },
      atPort: (port) => this.#attachments.atPort(port),
      isGiven: (network, mac) => this.#endpoints.isGiven(network, mac),
      present: () => this.#attachments.present(),
      follow: (entry) => this.#attachments.followMac(entry),
      onFailure: onFailure('a container whose MAC changed is not followed'),
    });
    this.#repairs = new Repairs({
      now: () => performance.now(),
      onRepaired: (what) => log.warn(`${what}: somebody changed that, it is put right`),
      onContested: (what) =>
        log.warn(
          `${what}: somebody on this host changes that again and again, so it is put right less and less often`,
        ),
      onFailed: (what, error) =>
        log.error(`${what}, and cannot be put right: ${String(error)}`, errorFields(error)),
    });
    this.paths = new PeerPaths(this.#mesh, this.#overlay);
    this.names = new Dns({
      identity,
      mesh: this.#mesh,
      mtu,
      settings,
      listenChosen: request.settings.dnsListen !== undefined,
      file: files.names,
      attachments: this.#attachments,
      networks: this.#networks,
      log,
    });
  }

  /** Starts everything; what can go on at the same time does. When one part fails, all is taken down again. */
  static async start(this: void, request: LaunchRequest, plan: Plan, log: Log): Promise<Router> {
    const { mtu } = plan.settings;
    const router = new Router(request, plan, mtu === 'auto' ? await mtuFor(plan.targets) : mtu, log);
    router.#followForwarder();
    logMesh(router.#mesh, log);
    logOverlay(router.#overlay, log);
    logForwarder(router.#forwarder, log);
    try {
      await router.#start();
      return router;
    } catch (error) {
      await router.abandon();
      throw error;
    }
  }

  async #start(): Promise<void> {
    this.#mesh.connect(this.#plan.targets);
    await this.names.start();
    await this.addresses.start();
    await this.#reclaim().catch(() => {}); // what cannot be read cannot be restored either, which says why
    const bridged = allEnded([this.#networks.makeBridge(), this.#records.start()]).then(() =>
      this.names.check(),
    );
    const restored = allEnded([this.#forwarder.start(), bridged])
      .then(() => this.#networks.start())
      .then(() => this.#attachments.restore());
    const meshed = this.trust
      .start(this.#mesh, this.#overlay)
      .then(() => this.#mesh.start())
      .then(() => this.#members.start());
    const [gone] = await allEnded([restored, meshed]);
    for (const { target } of gone) {
      this.#log.warn(`${target} was attached before and is gone`, { target });
    }
    this.#endpoints.start();
    this.#macWatch.lookAtAll();
    await this.#exposures.restore();
    await this.#overlay.start();
    this.#checking = this.#networks
      .removeUnused()
      .catch((error: unknown) => this.#log.warn(`not cleaned up: ${String(error)}`, errorFields(error)));
    this.#check = setInterval(() => this.#inspect(), CHECK_INTERVAL);
  }

  /** The subnets of containers, and those that this host is exposed in. */
  #inside(): string[] {
    return [...rangesOf(this.#plan.addresses), ...this.#exposures.list().map(({ address }) => address)];
  }

  /** Claims all addresses in use here that the ring does not know to be so; once for many that are lost at a time. */
  #reclaim(): Promise<unknown> {
    this.#reclaiming ??= Promise.resolve().then(() => {
      this.#reclaiming = undefined;
      return Promise.all([this.#attachments.reclaim(), this.#exposures.reclaim()]);
    });
    return this.#reclaiming;
  }

  /**
   * Ends a router whose launch failed, so that nothing is left of it. A data plane is left alone that was at work before, unless the router
   * that it worked for is forgotten.
   */
  async abandon(): Promise<void> {
    if (this.#stopping) return await this.stopped;
    this.#stopping = true;
    const leavesDataPlane = this.#adopted && this.#plan.resumed;
    clearInterval(this.#check);
    this.#containers.stop();
    this.#records.stop();
    await this.#checking;
    this.#endpoints.stop();
    this.#overlay.stop();
    await this.#members.stop();
    await this.names.stop();
    await this.addresses.stop();
    await this.#mesh.stop({ leave: !leavesDataPlane }).catch(() => {});
    if (leavesDataPlane) return this.#forwarder.detach();
    // One without exposures has no rules: a table of that name may be another router's, whose bridge is in the way.
    if (this.#exposures.list().length > 0) await this.#exposures.remove().catch(() => {});
    await this.#forwarder.stop().catch(() => {});
    await this.#custody.drop();
    await removeInterfaces(this.#plan.settings.bridge, this.#plan.identity.peer).catch(() => {});
  }

  version(): Version {
    return {
      version: weftVersion(),
      node: process.version,
      forwarder: this.#forwarder.running?.version ?? null,
    };
  }

  async status(): Promise<Status> {
    const { identity, settings } = this.#plan;
    const { network } = this.trust;
    const members = this.#mesh.members().filter(({ self }) => !self);
    const targets = this.#mesh.targets().filter(({ state }) => state !== 'self');
    const connections = await this.connections();
    const running = this.#forwarder.running;
    return {
      version: weftVersion(),
      pid: process.pid,
      uptime: Math.round((performance.now() - this.#startedAt) / 1000),
      peer: identity.peer,
      nickname: settings.nickname,
      network: { id: network.id, mode: network.mode, rotation: this.trust.rotation() },
      port: settings.port,
      bridge: settings.bridge,
      mtu: this.mtu,
      cipher: settings.cipher,
      trustedSubnets: settings.trustedSubnets,
      runDir: this.#request.runDir,
      stateDir: this.#request.stateDir,
      forwarder: {
        connected: this.#forwarder.connected,
        pid: running?.pid ?? null,
        version: running?.version ?? null,
        workers: running?.workers ?? null,
        sandboxed: running?.sandboxed ?? null,
        adopted: this.#adopted,
        restarts: this.#starts - 1,
      },
      peers: { known: members.length, linked: members.filter(({ linked }) => linked).length },
      connections: { up: connections.filter(({ udp }) => udp === 'up').length, total: connections.length },
      targets: {
        connected: targets.filter(({ state }) => state === 'connected').length,
        total: targets.length,
      },
      attachments: this.#attachments.size,
      dns: settings.dns ? settings.dnsDomain : null,
      dnsWaiting: this.names.waiting(),
      networks: this.#networks.list().length - 1,
      exposed: this.#exposures.list(),
      faults: this.#faults(await this.#links()).map(({ what }) => what),
    };
  }

  async report(): Promise<Report> {
    const [status, connections, dns, datapath] = await Promise.all([
      this.status(),
      this.connections(),
      this.names.status(),
      this.datapath().catch(() => null),
    ]);
    return {
      status,
      peers: [...this.peers()],
      connections: [...connections],
      targets: [...this.targets()],
      networks: this.#networks.list(),
      exposures: this.#exposures.list(),
      attachments: [...this.attachments()],
      dns: { status: dns, names: this.names.list() },
      ipam: this.addresses.status(),
      datapath,
      counters: { mesh: { ...this.#mesh.counters() }, overlay: { ...this.#overlay.counters() } },
    };
  }

  peers(): readonly Peer[] {
    return [...this.#mesh.members().map(peerView), ...this.trust.revoked()];
  }

  async connections(): Promise<readonly Connection[]> {
    return (await this.#overlay.connections()).map(connectionView);
  }

  targets(): readonly Target[] {
    return this.#mesh.targets().map(targetView);
  }

  datapath(): Promise<Datapath> {
    return datapathView(this.#forwarder, this.#custody.counters);
  }

  token({ addresses }: TokenRequest): Promise<Token> {
    const { network } = this.trust;
    const { settings } = this.#plan;
    const wanted = addresses ?? settings.advertise;
    return joinInvitation({ network, port: settings.port, addresses: wanted, inside: this.#inside() });
  }

  async connect({ peers, replace = false }: ConnectRequest): Promise<readonly Target[]> {
    for (const peer of peers) parseTarget(peer);
    await this.#changeTargets(() => this.#mesh.connect(peers, { replace }));
    return this.targets();
  }

  async forget(peers: readonly string[]): Promise<readonly Target[]> {
    const unknown = await this.#changeTargets(() => this.#mesh.forget(peers));
    if (unknown.length === 0) return this.targets();
    throw new WeftError(
      'no-such-target',
      `${unknown.join(', ')} ${unknown.length === 1 ? 'is not a target' : 'are not targets'}: \`weft status targets\` shows them`,
    );
  }

  readonly networks = {
    list: () => this.#networks.list(),
    create: (request: NetworkCreateRequest) => this.#networks.create(request),
    remove: ({ name, force }: NetworkRemoveRequest) => this.#networks.remove(name, force),
  };

  get exposures(): ExposureControl {
    return this.#exposures;
  }

  attachments(): readonly Attachment[] {
    return this.#attachments.list();
  }

  /** A container that is attached can ask for names. */
  async attach(request: AttachRequest): Promise<Attachment> {
    const attached = await this.#attachments.attach(request);
    await this.names.ready();
    return attached;
  }

  detach(request: DetachRequest): Promise<Attachment | null> {
    return this.#attachments.detach(request);
  }

  async stop({ forget }: { forget: boolean }): Promise<Stopped> {
    if (this.#stopping) throw new WeftError('stopping', 'the router is being stopped already');
    this.#stopping = true;
    clearInterval(this.#check);
    this.#containers.stop();
    this.#records.stop();
    await Promise.all([this.#checking, this.#macWatch.stop()]);
    await this.#hairpins.stop();
    await this.#exposures
      .remove()
      .catch((error: unknown) => this.#log.warn(String(error), errorFields(error)));
    this.#log.info(forget ? 'leaving the network for good' : 'stopping');
    const note = forget ? await this.addresses.leave() : null;
    this.#endpoints.stop();
    this.#overlay.stop();
    await this.#members.stop();
    await this.names.stop();
    await this.addresses.stop();
    const [, , , removed] = await Promise.all([
      this.#mesh.stop({ leave: true }),
      this.#forwarder.stop(),
      this.#custody.drop(),
      removeInterfaces(this.#plan.settings.bridge, this.#plan.identity.peer),
    ]);
    if (forget) await removeState(this.#request.stateDir);
    this.#onStopped();
    return { pid: process.pid, removed, note };
  }

  /** What the disk does not take is not done. */
  async #changeTargets<T>(change: () => T): Promise<T> {
    const targets = () => this.#mesh.targets().map(({ target }) => target);
    const before = targets();
    const result = change();
    try {
      await this.#plan.files.targets.write(() => ({ targets: targets() }));
      return result;
    } catch (error) {
      this.#mesh.connect(before, { replace: true });
      throw error;
    }
  }

  #followForwarder(): void {
    this.#forwarder.on('ready', ({ adopted }) => {
      this.#starts++;
      this.#adopted = adopted;
    });
    this.#forwarder.on('lost', () => {
      if (!this.#stopping) this.#log.error('lost the forwarder, starting it again');
    });
    this.#forwarder.on('event', ({ name, fields }) => {
      if (name === 'tap-lost') this.#inspect(fields.network);
      if (name === 'refused') this.#custody.refused('a container of this host', fields.address ?? fields.mac);
      if (name === 'mac-seen' && fields.mac !== RESOLVER_MAC) {
        this.#macWatch.seen(fields.network, fields.mac);
      }
    });
  }

  /** Puts right what somebody changed, and looks for containers that came or went. One inspection at a time. */
  #inspect(lostTap?: number): void {
    this.#checking = this.#checking.then(async () => {
      if (this.#stopping) return;
      try {
        const lost = lostTap === undefined || (await this.#networks.isServed(lostTap)) ? undefined : lostTap;
        await this.#repairs.mend(this.#networks.faults(await this.#links(), lost));
        // What suffered with a bridge comes back with it, and is no fault of its own.
        await Promise.all([this.#attachments.settled(), this.names.settled()]);
        const links = await this.#links();
        await this.#attachments.check(links.names);
        this.names.check(links.names);
        await this.#exposures.check();
        await this.#custody.check();
        await this.#repairs.mend(this.#faults(links));
        await this.#hairpins.settle();
      } catch (error) {
        this.#log.error(`this host cannot be looked after: ${String(error)}`, errorFields(error));
      }
    });
  }

  #links(): Promise<LinkStates> {
    return linkStates(this.#plan.settings.bridge, this.#plan.identity.peer);
  }

  /** Everything of ours on this host that is not as it should be. */
  #faults(links: LinkStates): Fault[] {
    return [
      ...this.#networks.faults(links),
      ...this.#attachments.faults(links),
      ...this.names.faults(links),
      ...this.#exposures.faults(links),
    ];
  }
}

/** So many routers keep what others published and left behind. */
const KEEPERS = 3;

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
    disabledOffloads: settings.disabledOffloads,
    stormLimit: settings.stormLimit,
    self: identity.peer,
  };
}

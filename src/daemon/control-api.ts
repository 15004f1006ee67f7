import type {
  Attachment,
  AttachRequest,
  Connection,
  ConnectRequest,
  Datapath,
  DetachRequest,
  ExposureControl,
  ForwarderExchange,
  NetworkCreateRequest,
  NetworkRemoveRequest,
  Peer,
  Readiness,
  Report,
  RouterControl,
  Source,
  Status,
  Stopped,
  Target,
  Token,
  TokenRequest,
  Version,
} from '../api/index.js';
import type { Observation } from '../api/status/index.js';
import { WeftError } from '../errors.js';
import { PROTOCOL_VERSIONS } from '../protocol-versions.js';
import { weftVersion } from '../version.js';
import { NO_CLUSTER } from './kubernetes/index.js';
import { joinInvitation } from './membership/index.js';
import { daemonFacts } from './observation/index.js';
import type { Parts } from './parts/index.js';
import { connectionView, datapathView, peerView } from './views.js';

export interface ControlApiOptions {
  readonly parts: Parts;
  /** What of this router on the host is not as it should be, in sentences. */
  readonly findings: () => Promise<string[]>;
  /** Of the forwarder: whether it was at work before this router, and how often it was started again. */
  readonly run: () => Pick<Status['forwarder'], 'adopted' | 'restarts'>;
  readonly stop: (how: { readonly forget: boolean }) => Promise<Stopped>;
}

/** What users and platforms may ask of a router: each call goes to the part that does it. */
export class ControlApi implements RouterControl {
  readonly #options: ControlApiOptions;
  readonly #parts: Parts;
  readonly #startedAt = performance.now();

  constructor(options: ControlApiOptions) {
    this.#options = options;
    this.#parts = options.parts;
  }

  get trust(): RouterControl['trust'] {
    return this.#parts.trust;
  }

  get paths(): RouterControl['paths'] {
    return this.#parts.paths;
  }

  get checkup(): RouterControl['checkup'] {
    return this.#parts.checkup;
  }

  get names(): RouterControl['names'] {
    return this.#parts.names;
  }

  get addresses(): RouterControl['addresses'] {
    return this.#parts.addresses;
  }

  get exposures(): ExposureControl {
    return this.#parts.exposures;
  }

  get events(): RouterControl['events'] {
    return this.#parts.happenings.streams;
  }

  get docker(): RouterControl['docker'] {
    return this.#parts.docker;
  }

  get cni(): RouterControl['cni'] {
    return this.#parts.cni;
  }

  get netavark(): RouterControl['netavark'] {
    return this.#parts.netavark;
  }

  get kubernetes(): RouterControl['kubernetes'] {
    return this.#parts.kubernetes ?? NO_CLUSTER;
  }

  get networks(): RouterControl['networks'] {
    const { networks } = this.#parts;
    return {
      list: () => networks.list(),
      create: (request: NetworkCreateRequest) => networks.create(request),
      remove: ({ name, force }: NetworkRemoveRequest) => networks.remove(name, force),
    };
  }

  get policies(): RouterControl['policies'] {
    return this.#parts.policies;
  }

  version(): Version {
    return {
      version: weftVersion(),
      node: process.version,
      forwarder: this.#parts.forwarder.running?.version ?? null,
      protocols: PROTOCOL_VERSIONS,
    };
  }

  async status(): Promise<Status> {
    const [connections, findings] = await Promise.all([this.connections(), this.#options.findings()]);
    return this.#statusWith(connections, findings);
  }

  #statusWith(connections: readonly Connection[], findings: readonly string[]): Status {
    const { request, plan, mtu, trust, attachments, names, networks, exposures, statusPlace } = this.#parts;
    const { identity, settings } = plan;
    const { network } = trust;
    return {
      version: weftVersion(),
      pid: process.pid,
      uptime: Math.round((performance.now() - this.#startedAt) / 1000),
      peer: identity.peer,
      nickname: settings.nickname,
      network: {
        id: network.id,
        mode: network.mode,
        admin: network.admin !== undefined,
        rotation: trust.rotation(),
      },
      port: settings.port,
      bridge: settings.bridge,
      mtu,
      cipher: settings.cipher,
      trustedSubnets: settings.trustedSubnets,
      runDir: request.runDir,
      stateDir: request.stateDir,
      forwarder: this.#forwarderStatus(),
      ...this.#meshStatus(),
      connections: { up: connections.filter(({ udp }) => udp === 'up').length, total: connections.length },
      attachments: attachments.size,
      dns: settings.dns ? settings.dnsDomain : null,
      dnsWaiting: names.waiting(),
      networks: networks.list().length - 1,
      statusAddress: statusPlace.address,
      exposed: exposures.list(),
      faults: [...findings, ...statusPlace.faults(), ...this.kubernetes.status().faults],
    };
  }

  #forwarderStatus(): Status['forwarder'] {
    const { forwarder } = this.#parts;
    const { running } = forwarder;
    return {
      connected: forwarder.connected,
      pid: running?.pid ?? null,
      version: running?.version ?? null,
      workers: running?.workers ?? null,
      udpPorts: running === undefined ? null : running.sourcePorts.length + 1,
      sandboxed: running?.sandboxed ?? null,
      ...this.#options.run(),
    };
  }

  #meshStatus(): Pick<Status, 'peers' | 'targets'> {
    const { mesh } = this.#parts;
    const members = mesh.members().filter(({ self }) => !self);
    const targets = mesh.targets().filter(({ state }) => state !== 'self');
    return {
      peers: { known: members.length, linked: members.filter(({ linked }) => linked).length },
      targets: {
        connected: targets.filter(({ state }) => state === 'connected').length,
        total: targets.length,
      },
    };
  }

  async report(): Promise<Report> {
    const { names, networks, exposures, addresses, mesh, overlay } = this.#parts;
    const [status, connections, dns, datapath] = await Promise.all([
      this.status(),
      this.connections(),
      names.status(),
      this.datapath().catch(() => null),
    ]);
    return {
      status,
      peers: [...this.peers()],
      connections: [...connections],
      targets: [...this.targets()],
      sources: this.sources(),
      networks: networks.list(),
      exposures: exposures.list(),
      attachments: [...this.attachments()],
      dns: { status: dns, names: names.list() },
      ipam: addresses.status(),
      datapath,
      counters: { mesh: { ...mesh.counters() }, overlay: { ...overlay.counters() } },
    };
  }

  async observe(): Promise<Observation> {
    const { names, addresses, docker, custody, mesh, overlay, forwarder, enforcement, kernelPaths } =
      this.#parts;
    const [connections, faults, dns, counted, segments, daemon, denied, kernelPathActivity] =
      await Promise.all([
        this.connections(),
        this.#options.findings(),
        names.status(),
        forwarder.stats().catch(() => null),
        forwarder.dump().catch(() => null),
        daemonFacts(),
        enforcement.denied().catch(() => null),
        kernelPaths?.activity().catch(() => null) ?? null,
      ]);
    return {
      status: this.#statusWith(connections, faults),
      faults,
      peers: this.peers(),
      connections,
      dns,
      ipam: addresses.status(),
      docker: docker.activity,
      denied,
      enforcement: enforcement.lag,
      kernelPaths: kernelPathActivity,
      kubernetes: this.kubernetes.status(),
      counters: {
        forwarder: counted?.counters ?? null,
        bridges: custody.counters,
        mesh: mesh.counters(),
        overlay: overlay.counters(),
      },
      loops: (segments?.networks ?? []).flatMap(({ loop }) => (loop === null ? [] : [loop])),
      daemon,
    };
  }

  async readiness(): Promise<Readiness> {
    const { readiness } = await import('../api/status/index.js');
    return readiness(await this.observe());
  }

  peers(): readonly Peer[] {
    const { mesh, trust } = this.#parts;
    return [...mesh.members().map(peerView), ...trust.revoked()];
  }

  async connections(): Promise<readonly Connection[]> {
    const { overlay, kernelPaths } = this.#parts;
    return (await overlay.connections()).map((view) => connectionView(view, kernelPaths));
  }

  targets(): readonly Target[] {
    return this.#parts.targets.list();
  }

  sources(): Source[] {
    return this.#parts.sources.status();
  }

  datapath(): Promise<Datapath> {
    const { forwarder, custody } = this.#parts;
    return datapathView(forwarder, custody.counters);
  }

  async exchangeForwarder(): Promise<ForwarderExchange> {
    const { forwarder } = this.#parts;
    const former = this.#runningForwarder();
    await forwarder.exchange();
    return { former, present: this.#runningForwarder() };
  }

  #runningForwarder(): ForwarderExchange['former'] {
    const { running } = this.#parts.forwarder;
    if (running !== undefined) return { pid: running.pid, version: running.version };
    throw new WeftError('forwarder-lost', 'the forwarder is not running, it is being started again');
  }

  token({ addresses }: TokenRequest): Promise<Token> {
    const { plan, trust, inside, targets } = this.#parts;
    const { port, advertise } = plan.settings;
    const { network } = trust;
    const others = addresses === undefined ? targets.others() : [];
    return joinInvitation({ network, port, addresses: addresses ?? advertise, inside: inside.all, others });
  }

  async connect(request: ConnectRequest): Promise<readonly Target[]> {
    await this.#parts.targets.connect(request);
    return this.targets();
  }

  async forget(peers: readonly string[]): Promise<readonly Target[]> {
    await this.#parts.targets.forget(peers);
    return this.targets();
  }

  attachments(): readonly Attachment[] {
    return this.#parts.attachments.list();
  }

  /** A container that is attached can ask for names. */
  async attach(request: AttachRequest): Promise<Attachment> {
    const attached = await this.#parts.attachments.attach(request);
    await this.#parts.names.ready();
    return attached;
  }

  detach(request: DetachRequest): Promise<Attachment | null> {
    return this.#parts.attachments.detach(request);
  }

  stop(how: { readonly forget: boolean }): Promise<Stopped> {
    return this.#options.stop(how);
  }
}

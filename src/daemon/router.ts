import type {
  Attachment,
  AttachRequest,
  Connection,
  ConnectRequest,
  Datapath,
  DetachRequest,
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
import { Forwarder, ForwarderDataPlane, type ForwarderEvent, locateForwarder } from '../forwarder/index.js';
import { removeBridge, tapName } from '../hostnet/index.js';
import { Mesh } from '../mesh/index.js';
import { Overlay } from '../overlay/index.js';
import { weftVersion } from '../version.js';
import { Attachments } from './attachments.js';
import { joinInvitation } from './join.js';
import { KnownMembers } from './known-members.js';
import type { LaunchRequest } from './launch-request.js';
import { errorFields, type Log } from './logging.js';
import { runPaths } from './paths.js';
import type { Plan } from './plan.js';
import { DEFAULT_NETWORK, mtuFor, Segment } from './segment.js';
import { removeState } from './state.js';
import { connectionView, datapathView, peerView, targetView } from './views.js';

/** How often to look whether the bridge is still there, in milliseconds. */
const BRIDGE_CHECK = 2_000;

/** All parts of one router, composed: the only place that knows everybody. */
export class Router implements RouterControl {
  readonly #request: LaunchRequest;
  readonly #plan: Plan;
  readonly #log: Log;
  /** Of the overlay: what containers get. */
  readonly mtu: number;
  readonly #mesh: Mesh;
  readonly #members: KnownMembers;
  readonly #forwarder: Forwarder;
  readonly #overlay: Overlay;
  readonly #segment: Segment;
  readonly #attachments: Attachments;
  readonly #startedAt = Date.now();
  #adopted = false;
  #starts = 0;
  #stopping = false;
  #bridgeCheck: NodeJS.Timeout | undefined;
  #repairing = Promise.resolve();
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
    this.#mesh = new Mesh({
      identity,
      network,
      nickname,
      port,
      mtu,
      endpoints: settings.advertise,
      ignoreInterface: (name) => name === bridge || name === tapName(bridge),
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
      timings: { rekeyInterval: settings.rekeyInterval * 1000 },
    });
    this.#segment = new Segment({ bridge, owner: identity.peer, mtu });
    this.#attachments = new Attachments({ bridge, mtu, file: files.attachments });
  }

  /** Starts everything; what can go on at the same time does. When one part fails, all is taken down again. */
  static async start(request: LaunchRequest, plan: Plan, log: Log): Promise<Router> {
    const { mtu } = plan.settings;
    const router = new Router(request, plan, mtu === 'auto' ? await mtuFor(plan.targets) : mtu, log);
    router.#logEvents();
    try {
      await router.#start();
      return router;
    } catch (error) {
      await router.#undo();
      throw error;
    }
  }

  async #start(): Promise<void> {
    this.#mesh.connect(this.#plan.targets);
    const bridge = this.#segment.makeBridge();
    const plumbed = Promise.all([this.#forwarder.start(), bridge]).then(() =>
      this.#segment.open(this.#forwarder),
    );
    const restored = bridge.then(() => this.#attachments.restore());
    const meshed = this.#mesh.start().then(() => this.#members.start());
    const results = await Promise.allSettled([meshed, plumbed, restored]);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    for (const { target } of await restored) {
      this.#log.warn(`${target} was attached before and is gone`, { target });
    }
    this.#overlay.setNetworks([DEFAULT_NETWORK]);
    await this.#overlay.start();
    this.#bridgeCheck = setInterval(() => void this.#checkBridge(), BRIDGE_CHECK);
  }

  /** A failed start leaves a data plane alone that was at work before it. */
  async #undo(): Promise<void> {
    this.#stopping = true;
    await this.#members.stop();
    await this.#mesh.stop({ leave: false }).catch(() => {});
    if (this.#adopted) return this.#forwarder.detach();
    await this.#forwarder.stop().catch(() => {});
    await removeBridge(this.#plan.settings.bridge, this.#plan.identity.peer).catch(() => {});
  }

  version(): Version {
    return {
      version: weftVersion(),
      node: process.version,
      forwarder: this.#forwarder.running?.version ?? null,
    };
  }

  async status(): Promise<Status> {
    const { identity, network, settings } = this.#plan;
    const members = this.#mesh.members().filter(({ self }) => !self);
    const targets = this.#mesh.targets().filter(({ state }) => state !== 'self');
    const connections = await this.connections();
    const running = this.#forwarder.running;
    return {
      version: weftVersion(),
      pid: process.pid,
      uptime: Math.round((Date.now() - this.#startedAt) / 1000),
      peer: identity.peer,
      nickname: settings.nickname,
      network: { id: network.id, mode: network.mode },
      port: settings.port,
      bridge: settings.bridge,
      mtu: this.mtu,
      cipher: settings.cipher,
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
    };
  }

  async report(): Promise<Report> {
    const [status, connections, attachments, datapath] = await Promise.all([
      this.status(),
      this.connections(),
      this.attachments(),
      this.datapath().catch(() => null),
    ]);
    return {
      status,
      peers: [...this.peers()],
      connections: [...connections],
      targets: [...this.targets()],
      attachments: [...attachments],
      datapath,
      counters: { mesh: { ...this.#mesh.counters() }, overlay: { ...this.#overlay.counters() } },
    };
  }

  peers(): readonly Peer[] {
    return this.#mesh.members().map(peerView);
  }

  async connections(): Promise<readonly Connection[]> {
    return (await this.#overlay.connections()).map(connectionView);
  }

  targets(): readonly Target[] {
    return this.#mesh.targets().map(targetView);
  }

  datapath(): Promise<Datapath> {
    return datapathView(this.#forwarder);
  }

  token({ addresses }: TokenRequest): Promise<Token> {
    const { network, settings } = this.#plan;
    const wanted = addresses ?? settings.advertise;
    return joinInvitation({ network, port: settings.port, addresses: wanted });
  }

  async connect({ peers, replace = false }: ConnectRequest): Promise<readonly Target[]> {
    this.#mesh.connect(peers, { replace });
    await this.#saveTargets();
    return this.targets();
  }

  async forget(peers: readonly string[]): Promise<readonly Target[]> {
    const unknown = this.#mesh.forget(peers);
    await this.#saveTargets();
    if (unknown.length === 0) return this.targets();
    throw new WeftError(
      'no-such-target',
      `${unknown.join(', ')} ${unknown.length === 1 ? 'is not a target' : 'are not targets'}: \`weft status targets\` shows them`,
    );
  }

  attachments(): Promise<readonly Attachment[]> {
    return this.#attachments.list();
  }

  attach(request: AttachRequest): Promise<Attachment> {
    return this.#attachments.attach(request);
  }

  detach(request: DetachRequest): Promise<Attachment | null> {
    return this.#attachments.detach(request);
  }

  async stop({ forget }: { forget: boolean }): Promise<Stopped> {
    if (this.#stopping) throw new WeftError('stopping', 'the router is being stopped already');
    this.#stopping = true;
    clearInterval(this.#bridgeCheck);
    await this.#repairing;
    this.#log.info(forget ? 'leaving the network for good' : 'stopping');
    this.#overlay.stop();
    await this.#members.stop();
    const [, , removed] = await Promise.all([
      this.#mesh.stop({ leave: true }),
      this.#forwarder.stop(),
      removeBridge(this.#plan.settings.bridge, this.#plan.identity.peer),
    ]);
    if (forget) await removeState(this.#request.stateDir);
    this.#onStopped();
    return { pid: process.pid, removed };
  }

  async #saveTargets(): Promise<void> {
    const targets = this.#mesh.targets().map(({ target }) => target);
    await this.#plan.files.targets.write({ targets });
  }

  #logEvents(): void {
    const log = this.#log;
    this.#mesh.on('link-up', ({ peer, nickname, remoteAddress, direction }) =>
      log.info('linked', { peer, nickname, address: remoteAddress, direction }),
    );
    this.#mesh.on('link-down', (peer, reason) =>
      log.info(`link lost: ${reason.message}`, { peer, code: reason.code }),
    );
    this.#mesh.on('warning', (error, origin) => log.warn(error.message, { code: error.code, ...origin }));
    this.#overlay.on('peer-up', (peer) => log.info('traffic flows', { peer }));
    this.#overlay.on('peer-down', (peer) => log.warn('traffic is interrupted', { peer }));
    this.#overlay.on('session', (peer, { cipher, role }) => log.debug('new key', { peer, cipher, role }));
    this.#overlay.on('warning', (error, origin) => log.warn(error.message, { code: error.code, ...origin }));
    this.#forwarder.on('ready', ({ pid, adopted }) => {
      this.#starts++;
      this.#adopted = adopted;
      log.info(adopted ? 'adopted the running forwarder' : 'started the forwarder', { pid });
    });
    this.#forwarder.on('lost', () => this.#stopping || log.error('lost the forwarder, starting it again'));
    this.#forwarder.on('warning', (error) => log.warn(error.message, { code: error.code }));
    this.#forwarder.on('event', (event) => this.#onForwarderEvent(event));
  }

  #onForwarderEvent({ name, fields }: ForwarderEvent): void {
    this.#log.debug(`forwarder: ${name}`, fields);
    if (name === 'tap-lost') void this.#repair('the TAP device');
  }

  async #checkBridge(): Promise<void> {
    if (!(await this.#segment.hasBridge())) await this.#repair('the bridge');
  }

  /** Makes again what somebody removed. One repair at a time: both devices may be gone. */
  #repair(what: string): Promise<void> {
    this.#repairing = this.#repairing.then(async () => {
      if (this.#stopping) return;
      this.#log.warn(`${what} was removed by somebody, making it again`);
      try {
        await this.#segment.makeBridge();
        await this.#segment.open(this.#forwarder);
        await this.#attachments.reattach();
      } catch (error) {
        this.#log.error(`${what} cannot be made again: ${String(error)}`, errorFields(error));
      }
    });
    return this.#repairing;
  }
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
    self: identity.peer,
  };
}

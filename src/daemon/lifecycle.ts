import type { RouterControl, Stopped } from '../api/index.js';
import { WeftError } from '../errors.js';
import { RESOLVER_MAC, removeInterfaces } from '../hostnet/index.js';
import { allEnded } from '../order.js';
import { ControlApi } from './control-api.js';
import { hostFor, joinCluster } from './kubernetes/index.js';
import type { LaunchedRouter, Plan } from './launch/index.js';
import { errorFields, type Log } from './logging/index.js';
import { compose, type Materials, type Parts } from './parts/index.js';
import { Repair } from './repair.js';
import { mtuFor } from './segments/index.js';
import { type LaunchRequest, removeState } from './state/index.js';

/** One router from its start to its end: in which order its parts begin, and in which they are taken down. */
export class Router implements LaunchedRouter {
  readonly #parts: Parts;
  readonly #repair: Repair;
  readonly control: RouterControl;
  #starts = 0;
  #adopted = false;
  #stopping = false;
  /** Addresses in use are about to be claimed again. */
  #reclaiming: Promise<unknown> | undefined;
  #onStopping: () => void = () => {};
  readonly stopping = new Promise<void>((resolve) => {
    this.#onStopping = resolve;
  });
  #onStopped: () => void = () => {};
  readonly stopped = new Promise<void>((resolve) => {
    this.#onStopped = resolve;
  });

  private constructor(materials: Materials) {
    const parts = compose(materials);
    this.#parts = parts;
    this.#repair = new Repair(parts);
    this.control = new ControlApi({
      parts,
      findings: () => this.#repair.findings(),
      run: () => ({ adopted: this.#adopted, restarts: this.#starts - 1 }),
      stop: (how) => this.stop(how),
    });
    this.#followForwarder();
    parts.addresses.on('lost', () => {
      void this.#reclaim().catch((error: unknown) =>
        parts.log.error(`addresses in use are not claimed: ${String(error)}`, errorFields(error)),
      );
    });
  }

  /** Starts everything; what can go on at the same time does. When one part fails, all is taken down again. */
  static async start(this: void, request: LaunchRequest, plan: Plan, log: Log): Promise<Router> {
    const { mtu } = plan.settings;
    const router = new Router({
      request,
      plan,
      mtu: mtu === 'auto' ? await mtuFor(plan.targets) : mtu,
      log,
      kubernetes: await joinCluster(plan, log),
    });
    try {
      await router.#start();
      return router;
    } catch (error) {
      await router.abandon();
      throw error;
    }
  }

  get mtu(): number {
    return this.#parts.mtu;
  }

  get names(): Parts['names'] {
    return this.#parts.names;
  }

  async #start(): Promise<void> {
    const { request, plan, log, mesh, names, addresses, networks, records, forwarder, attachments } =
      this.#parts;
    const { sources, trust, overlay, members, endpoints, macWatch, exposures, containers, labelled } =
      this.#parts;
    const { docker, cni, netavark, kubernetes, statusPlace, publishedPolicies, enforcement } = this.#parts;
    const { kernelPaths, retirement } = this.#parts;
    mesh.connect(plan.targets);
    await kubernetes?.start();
    await names.start();
    await addresses.start();
    await this.#reclaim().catch(() => {}); // what cannot be read cannot be restored either, which says why
    const bridged = allEnded([
      networks.makeBridge(),
      records.start(),
      publishedPolicies.start().then(() => enforcement.start()),
    ]).then(() => names.check());
    const restored = allEnded([forwarder.start(), bridged])
      .then(() => networks.start())
      .then(() => attachments.restore());
    const meshed = trust
      .start(mesh, overlay)
      .then(() => mesh.start())
      .then(() => members.start());
    const observe = () => this.control.observe();
    const watched = statusPlace.start(observe, async () => {
      const { pageRoutes } = await import('./mesh-view/index.js');
      return pageRoutes({ ...this.#parts, self: plan.identity.peer, observe });
    });
    const [gone] = await allEnded([restored, meshed, watched]);
    await enforcement.begin();
    sources.start();
    for (const { target } of gone) log.warn(`${target} was attached before and is gone`, { target });
    endpoints.start();
    macWatch.lookAtAll();
    await exposures.restore();
    await overlay.start();
    if (kernelPaths === undefined) await retirement.begin();
    else kernelPaths.start();
    this.#parts.checkup.start();
    this.#repair.start();
    labelled.follow(containers);
    await docker.start({ enable: request.docker !== undefined });
    await Promise.all([cni.start(), netavark.check()]);
    kubernetes?.serve(hostFor(this.#parts, async () => (await this.control.readiness()).ready));
    this.#parts.happenings.begin(this.#parts, {
      nickname: plan.settings.nickname,
      adopted: this.#adopted,
    });
  }

  /** Claims all addresses in use here that the ring does not know to be so; once for many that are lost at a time. */
  #reclaim(): Promise<unknown> {
    const { attachments, exposures } = this.#parts;
    this.#reclaiming ??= Promise.resolve().then(() => {
      this.#reclaiming = undefined;
      return Promise.all([attachments.reclaim(), exposures.reclaim()]);
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
    const { plan, docker, containers, records, mesh, forwarder, exposures, custody } = this.#parts;
    const { publishedPolicies, enforcement, kernelPaths, retirement } = this.#parts;
    const leavesDataPlane = this.#adopted && plan.resumed;
    await docker.stop();
    containers.stop();
    records.stop();
    publishedPolicies.stop();
    await this.#repair.stop();
    await kernelPaths?.stop();
    await this.#endControlPlane();
    await mesh.stop({ leave: !leavesDataPlane }).catch(() => {});
    if (leavesDataPlane) return forwarder.detach();
    // One without exposures has no rules: a table of that name may be another router's, whose bridge is in the way.
    if (exposures.list().length > 0) await exposures.remove().catch(() => {});
    await forwarder.stop().catch(() => {});
    await Promise.all([custody.drop(), enforcement.drop()]);
    await retirement.end().catch(() => {});
    await removeInterfaces(plan.settings.bridge, plan.identity.peer).catch(() => {});
    await kernelPaths?.drop().catch(() => {});
  }

  async stop({ forget }: { readonly forget: boolean }): Promise<Stopped> {
    if (this.#stopping) throw new WeftError('stopping', 'the router is being stopped already');
    this.#stopping = true;
    this.#onStopping();
    const { request, plan, log, containers, records, macWatch, hairpins, exposures } = this.#parts;
    const { addresses, mesh, forwarder, custody, docker, cni, happenings, hooks } = this.#parts;
    const { publishedPolicies, enforcement, kernelPaths, retirement } = this.#parts;
    happenings.end(forget);
    const hooksEnded = hooks.stop();
    for (const leave of forget ? [() => docker.setEnabled(false), () => cni.uninstall()] : []) {
      await leave().catch((error: unknown) => log.warn(String(error), errorFields(error)));
    }
    await docker.stop();
    containers.stop();
    records.stop();
    publishedPolicies.stop();
    await Promise.all([this.#repair.stop(), macWatch.stop(), kernelPaths?.stop()]);
    await retirement.end().catch((error: unknown) => log.warn(String(error), errorFields(error)));
    await hairpins.stop();
    await exposures.remove().catch((error: unknown) => log.warn(String(error), errorFields(error)));
    log.info(forget ? 'leaving the network for good' : 'stopping');
    const note = forget ? await addresses.leave() : null;
    await this.#endControlPlane();
    const [, , , , removed] = await Promise.all([
      mesh.stop({ leave: true }),
      forwarder.stop(),
      custody.drop(),
      enforcement.drop(),
      removeInterfaces(plan.settings.bridge, plan.identity.peer),
    ]);
    await kernelPaths?.drop().catch((error: unknown) => log.warn(String(error), errorFields(error)));
    await hooksEnded;
    if (forget) await removeState(request.stateDir);
    this.#onStopped();
    return { pid: process.pid, removed, note };
  }

  /** Everything that speaks over the mesh, which ends last. */
  async #endControlPlane(): Promise<void> {
    const { statusPlace, sources, endpoints, overlay, members, names, addresses, checkup } = this.#parts;
    const { kubernetes } = this.#parts;
    await statusPlace.stop();
    await sources.stop();
    await kubernetes?.stop();
    endpoints.stop();
    checkup.stop();
    overlay.stop();
    await members.stop();
    await names.stop();
    await addresses.stop();
  }

  #followForwarder(): void {
    const { forwarder, log, refusals, macWatch } = this.#parts;
    forwarder.on('ready', ({ adopted }) => {
      this.#starts++;
      this.#adopted = adopted;
    });
    forwarder.on('lost', () => {
      if (!this.#stopping) log.error('lost the forwarder, starting it again');
    });
    forwarder.on('event', ({ name, fields }) => {
      if (name === 'tap-lost') this.#repair.inspect(fields.network);
      if (name === 'refused') refusals.tell('a container of this host', fields.address ?? fields.mac);
      if (name === 'mac-seen' && fields.mac !== RESOLVER_MAC) macWatch.seen(fields.network, fields.mac);
    });
  }
}

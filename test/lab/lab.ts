import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.js';
import { Container } from './container.js';
import { claimRun, directoryOf, removeRun } from './ground.js';
import { Host } from './host.js';
import { Node } from './node.js';
import { Router } from './router.js';
import { Wire, type WireOptions } from './wire.js';

/** As many hosts as asked for. */
export type Hosts<N extends number, Made extends Host[] = []> = number extends N
  ? Host[]
  : Made['length'] extends N
    ? Made
    : Hosts<N, [...Made, Host]>;

/**
 * Hosts, wires, routers and containers out of network namespaces, on which real routers run. As root, or in an
 * unprivileged user namespace (`unshare --user --map-root-user --net --mount`). Labs never meet: everything that a lab
 * makes carries its name, and goes with it.
 */
export class Lab {
  readonly machines: Host[] = [];
  #wires = 0;

  private constructor(readonly name: string) {}

  static async create(): Promise<Lab> {
    return new Lab(claimRun());
  }

  /** The directory below which everything of this lab is written. */
  get directory(): string {
    return directoryOf(this.name);
  }

  /** Hosts `host1`, `host2`, … on one new wire. */
  async hosts<N extends number>(count: N, options: WireOptions = {}): Promise<Hosts<N>> {
    const wire = await this.wire(options);
    const made: Host[] = [];
    for (let i = 0; i < count; i += 1) made.push(await this.host(wire));
    return made as Hosts<N>;
  }

  /** A host on these wires. */
  async host(...wires: Wire[]): Promise<Host> {
    const name = `host${this.machines.length + 1}`;
    const directory = join(this.directory, name);
    mkdirSync(directory);
    const host = new Host(name, await this.namespace(name), directory, (on, label) =>
      this.container(on, label),
    );
    await host.ip('link set lo up');
    // Link-local addresses count at once, as on a host that has been up for a while.
    await host.sysctl({ 'net.ipv6.conf.default.accept_dad': 0 });
    for (const wire of wires) host.ports.push(await wire.join(host));
    this.machines.push(host);
    return host;
  }

  async wire(options: WireOptions = {}): Promise<Wire> {
    this.#wires += 1;
    const name = `wire${this.#wires}`;
    return await Wire.lay(new Node(name, await this.namespace(name)), this.#wires, options);
  }

  /** A machine that forwards between these wires. Hosts use it once told to (`host.routeThrough`). */
  async router(name: string, ...wires: Wire[]): Promise<Router> {
    const router = new Router(name, await this.namespace(name));
    await router.ip('link set lo up');
    await router.forward();
    for (const wire of wires) router.ports.push(await wire.join(router));
    return router;
  }

  /**
   * Two hosts of wires of MTU `mtu`, and between them two routers whose own wire has only `middle`, bytes. With
   * `silent`, no ICMP error leaves the routers.
   */
  async hostsAcross(middle: number, { mtu = 1500, silent = false } = {}): Promise<[Host, Host]> {
    const [left, narrow, right] = [
      await this.wire({ mtu }),
      await this.wire({ mtu: middle }),
      await this.wire({ mtu }),
    ];
    const [west, east] = [
      await this.router(`west${narrow.number}`, left, narrow),
      await this.router(`east${narrow.number}`, narrow, right),
    ];
    const [a, b] = [await this.host(left), await this.host(right)];
    await a.routeThrough(west);
    await b.routeThrough(east);
    await west.routeThrough(east);
    await east.routeThrough(west);
    if (silent) for (const wire of [left, narrow, right]) await wire.lose('icmp errors');
    return [a, b];
  }

  /** The logs of all routers. */
  logs(): string {
    return this.machines.map((host) => host.logs()).join('\n');
  }

  /** Ends and removes everything. */
  remove(): void {
    removeRun(this.name);
  }

  private async container(host: Host, name: string): Promise<Container> {
    const container = new Container(name, await this.namespace(name), host);
    await container.ip('link set lo up');
    return container;
  }

  private async namespace(name: string): Promise<string> {
    const namespace = `${this.name}-${name}`;
    await run(['ip', 'netns', 'add', namespace]);
    return namespace;
  }
}

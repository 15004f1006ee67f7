import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../src/errors.js';
import {
  type Container,
  type Host,
  type Lab,
  type LaunchOptions,
  type Router,
  run,
  until,
  type Wire,
} from '../lab/index.js';

const CONTAINERS_PER_HOST = 2;
/** Within so long routers that have joined meet another one, ms. */
const MET = 60_000;
/** Of a host's state directory, which can be filled. */
const DISK = '512k';

/** A container that is to be reached, wherever it is. */
export interface Resident {
  /** Outside of what the ring gives, so that it keeps it when it moves; without a length. */
  readonly address: string;
  container: Container;
}

/** Two hosts that everybody reaches, and one behind a NAT, each with two containers. */
export class World {
  readonly residents: Resident[] = [];
  /** Hosts whose router is not there, cannot be reached or cannot write; by name. */
  readonly troubled = new Set<string>();
  /** Hosts that trust the wire between them, so that frames stay in the kernel where both ends do. */
  readonly trusting: Set<Host>;
  /** Those that have joined anew, and know of none of their containers. */
  readonly forgetful = new Set<Host>();
  /** How often the network's secret was replaced. */
  secrets = 0;
  #containers = 0;

  private constructor(
    readonly hosts: readonly Host[],
    readonly internet: Wire,
    readonly nat: Router,
    private readonly say: (what: string) => void,
  ) {
    this.trusting = new Set(this.public);
  }

  static async create(lab: Lab, say: (what: string) => void): Promise<World> {
    const [internet, inside] = [await lab.wire(), await lab.wire()];
    const nat = await lab.router('nat', inside, internet);
    await nat.masquerade(internet);
    const [first, second, hidden] = [
      await lab.host(internet),
      await lab.host(internet),
      await lab.host(inside),
    ];
    await hidden.routeThrough(nat);
    const world = new World([first, second, hidden], internet, nat, say);
    for (const host of world.hosts) await mountDisk(host);
    await world.launch(first);
    for (const host of [second, hidden]) await world.launch(host, { token: await first.token() });
    for (const host of world.hosts)
      for (let i = 0; i < CONTAINERS_PER_HOST; i += 1) await world.addResident(host);
    return world;
  }

  /** Tells what happens now. */
  tell(what: string): void {
    this.say(what);
  }

  /** Those that nothing was done to yet. */
  get sound(): Host[] {
    return this.hosts.filter(({ name }) => !this.troubled.has(name));
  }

  /** Those that are not behind the NAT. */
  get public(): Host[] {
    return this.hosts.filter(({ ports }) => ports.some(({ wire }) => wire === this.internet));
  }

  of(host: Host): Resident[] {
    return this.residents.filter(({ container }) => container.host === host);
  }

  /** Starts a host's router as it is set up. */
  async launch(host: Host, options: Pick<LaunchOptions, 'token'> = {}): Promise<void> {
    const trusted = this.trusting.has(host) ? this.internet.subnet : 'none';
    await host.launch({ ...options, args: ['--trusted-subnets', trusted] });
  }

  /** Runs on a host from now on, with an address of its own and one of the ring. */
  async addResident(host: Host): Promise<void> {
    const address = `10.77.0.${this.residents.length + 1}`;
    this.residents.push({ address, container: await this.#run(host, address) });
  }

  /** Ends where it is, and runs elsewhere with the same address. */
  async move(resident: Resident, host: Host): Promise<void> {
    await resident.container.detach();
    await resident.container.end();
    resident.container = await this.#run(host, resident.address);
  }

  /**
   * Removes who is gone for good and still has addresses, or is waited for, as `weft status ipam` says: whoever was to take over what it had
   * went before that was done.
   */
  async forgetDead(): Promise<void> {
    const living = new Set<string>();
    for (const host of this.hosts) living.add((await host.report()).status.peer);
    for (const host of this.hosts) {
      const { owners, waitingFor } = (await host.report()).ipam;
      const awaited = [...owners.filter(({ heir }) => heir === null), ...waitingFor].map(({ peer }) => peer);
      const dead = new Set(awaited.filter((peer) => !living.has(peer)));
      for (const peer of dead) await host.tryWeft('rmpeer', peer);
    }
  }

  /** Attaches again what routers forgot, once they have met one that knows who has which addresses. */
  async attachForgotten(): Promise<void> {
    for (const host of this.forgetful) {
      const met = async () => (await host.tryWeft('prime')).code === 0;
      await until(`${host.name} has met somebody`, met, { within: MET });
      for (const { container, address } of this.of(host)) {
        // Whoever has addresses may be waiting, too, for one that is being removed.
        const attached = async () => await attach(container, address).then(() => true);
        await until(`${container.name} is attached again`, attached, { within: MET });
      }
    }
    this.forgetful.clear();
  }

  /** Leaves not a byte on the disk of a host's router; gives what makes room again. */
  fill(host: Host): () => void {
    const filler = join(host.stateDirectory, 'filler');
    try {
      for (let size = 1 << 16; size > 0; size >>= 1) fillWith(filler, size);
    } catch (error) {
      if (systemCode(error) !== 'ENOSPC') throw error;
    }
    return () => rmSync(filler, { force: true });
  }

  async #run(host: Host, address: string): Promise<Container> {
    this.#containers += 1;
    const container = await host.container(`c${this.#containers}`);
    await attach(container, address);
    return container;
  }
}

async function attach(container: Container, address: string): Promise<void> {
  await container.host.weft('attach', container.namespace, `${address}/24`, 'net:default');
}

async function mountDisk({ stateDirectory }: Host): Promise<void> {
  await run(['mount', '--mkdir', '-t', 'tmpfs', '-o', `size=${DISK},mode=700`, 'weft-chaos', stateDirectory]);
}

function fillWith(file: string, size: number): void {
  for (;;) {
    try {
      writeFileSync(file, Buffer.alloc(size), { flag: 'a' });
    } catch (error) {
      if (systemCode(error) !== 'ENOSPC') throw error;
      return;
    }
  }
}

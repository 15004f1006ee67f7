/** A swarm of real Docker engines, on which weft is a managed plugin. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Report, Token } from '../../src/api/index.js';
import { ask } from '../../src/cli/client.js';
import type { BookContent } from '../../src/plugins/docker/book.js';
import { run } from './command.js';
import { DockerEngine } from './docker.js';
import type { Host } from './host.js';
import { until } from './until.js';

const MAKE_PLUGIN = fileURLToPath(new URL('../../scripts/docker-plugin', import.meta.url));

/** What Docker calls the plugin, and so the driver. */
export const PLUGIN = 'weft:latest';

/** Makes the plugin of this tree below a directory, for any number of engines. */
export async function makePlugin(directory: string): Promise<string> {
  const made = join(directory, 'plugin');
  await run([MAKE_PLUGIN, made]);
  return made;
}

/** A host of a swarm, with its engine. */
export class SwarmNode {
  private constructor(
    readonly host: Host,
    readonly engine: DockerEngine,
  ) {}

  /** With the plugin installed, but not enabled. */
  static async start(host: Host, plugin: string): Promise<SwarmNode> {
    const engine = await DockerEngine.start(host);
    await run(['mkdir', '--parents', host.stateDirectory]);
    await engine.docker('plugin', 'create', PLUGIN, plugin);
    const mounts = [`state.source=${host.stateDirectory}`, `engine.source=${engine.socket}`];
    await engine.docker('plugin', 'set', PLUGIN, ...mounts);
    return new SwarmNode(host, engine);
  }

  /** With these settings of the plugin. */
  async enable(...settings: readonly string[]): Promise<void> {
    if (settings.length > 0) await this.engine.docker('plugin', 'set', PLUGIN, ...settings);
    await this.engine.docker('plugin', 'enable', PLUGIN);
  }

  /** Makes the swarm, of which this is the manager, and lets the others join. */
  async manage(...workers: readonly SwarmNode[]): Promise<void> {
    await this.engine.docker('swarm', 'init', '--advertise-addr', this.host.address);
    const token = await this.engine.docker('swarm', 'join-token', '--quiet', 'worker');
    const manager = `${this.host.address}:2377`;
    for (const { host, engine } of workers) {
      await engine.docker('swarm', 'join', '--advertise-addr', host.address, '--token', token, manager);
    }
  }

  async token(): Promise<string> {
    return (await ask<Token>(this.#runDirectory, 'GET', '/token')).token;
  }

  /** Everything that the router in the plugin tells about itself. */
  async report(): Promise<Report> {
    return await ask<Report>(this.#runDirectory, 'GET', '/report');
  }

  /** The addresses of a service's containers on this host, by container. */
  async addressesOf(service: string, network: string): Promise<Map<string, string>> {
    const label = `label=com.docker.swarm.service.name=${service}`;
    const ids = (await this.engine.docker('ps', '--quiet', '--filter', label)).split('\n');
    const found = new Map<string, string>();
    for (const id of ids.filter((each) => each !== '')) {
      const { NetworkSettings } = await this.engine.inspect(id);
      found.set(id, NetworkSettings.Networks[network]?.IPAddress ?? '');
    }
    return found;
  }

  /** What is left of networks and containers: nothing, when all are gone. */
  async left(): Promise<string[]> {
    const { attachments, dns, ipam, networks } = await this.report();
    const links = await this.host.run(['ip', '-br', 'link']);
    const { networks: booked, endpoints } = this.#book;
    return [
      ...attachments.map(({ target }) => `the attachment of ${target}`),
      ...dns.names.map(({ name }) => `the name ${name}`),
      ...(ipam.allocated > 0 ? [`${ipam.allocated} addresses`] : []),
      ...networks.filter(({ name }) => name !== 'default').map(({ name }) => `the network ${name}`),
      ...(links.match(/^w[vl][0-9a-f]{10,}\S*/gm) ?? []).map((name) => `the interface ${name}`),
      ...[...booked, ...endpoints].map(({ id }) => `the note of ${id}`),
      ...this.given(),
    ];
  }

  /** The addresses that the swarm has of this manager, in order. */
  given(): string[] {
    return (this.#book.given ?? []).map(({ address }) => address).sort();
  }

  get #book(): BookContent {
    return JSON.parse(readFileSync(join(this.host.stateDirectory, 'docker.json'), 'utf8')) as BookContent;
  }

  get #runDirectory(): string {
    const directories = this.host.processes().map((pid) => `/proc/${pid}/root/run/weft`);
    const found = directories.find((directory) => existsSync(join(directory, 'daemon.pid')));
    if (found === undefined) throw new Error(`no router runs in a plugin of ${this.host.name}`);
    return found;
  }
}

/** Waits until as many containers of a service run. */
export async function runs({ engine }: SwarmNode, service: string, replicas: number): Promise<void> {
  const format = ['--format', '{{.CurrentState}} {{.Error}}', '--filter', 'desired-state=running'];
  await until(
    `${replicas} containers of ${service} run`,
    async () => {
      const states = await engine.docker('service', 'ps', ...format, '--no-trunc', service);
      const running = states.split('\n').filter((state) => state.startsWith('Running'));
      if (running.length === replicas) return true;
      throw new Error(states);
    },
    { within: 40_000, every: 200 },
  );
}

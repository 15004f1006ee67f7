/** A router's plugin on a node of a cluster whose API server is real, in a mesh that is not. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { stateFiles } from '../../../../src/daemon/state/index.js';
import { WeftError } from '../../../../src/errors.js';
import { KubernetesPlugin } from '../../../../src/plugins/kubernetes/index.js';
import { ApiServer, NODES, PODS } from '../../../kubernetes/api-server.js';
import { node, type PodShape, pod } from '../../../kubernetes/shapes.js';
import { until } from '../../../lab/until.js';

export class World {
  readonly directory = mkdtempSync(join(tmpdir(), 'weft-kubernetes-'));
  /** Routers that work, and those of which something is left. */
  readonly alive = new Set<string>();
  readonly remembered = new Set<string>();
  /** Who took over what whom owned. */
  readonly takeovers: { readonly by: string; readonly peer: string }[] = [];
  readonly notices: string[] = [];
  readonly troubles: string[] = [];
  rules = 0;
  /** Of all, in milliseconds; goes on by itself where somebody waits. */
  time = 0;
  readonly #plugins: KubernetesPlugin[] = [];

  private constructor(readonly api: ApiServer) {}

  static async create(): Promise<World> {
    const directory = mkdtempSync(join(tmpdir(), 'weft-api-'));
    return new World(await ApiServer.start(directory));
  }

  /** The plugin of the router on a node of this name, as after a start. */
  async start(
    name: string,
    peer: string,
    { isReady = async () => true, serves = true } = {},
  ): Promise<KubernetesPlugin> {
    const plugin = new KubernetesPlugin({
      access: this.api.access(),
      node: name,
      file: stateFiles(join(this.directory, name)).kubernetes,
      random: () => 0,
      now: () => this.time,
      time: () => this.time,
      pause: async () => void (await new Promise((resolve) => setTimeout(resolve, 5))),
    });
    plugin.on('rules', () => {
      this.rules += 1;
    });
    plugin.on('notice', (what) => this.notices.push(what));
    plugin.on('trouble', (what) => this.troubles.push(what));
    this.#plugins.push(plugin);
    this.alive.add(peer);
    this.remembered.add(peer);
    await plugin.start();
    if (serves) plugin.serve(this.#host(peer, isReady));
    return plugin;
  }

  addNode(name: string, peer?: string): void {
    this.api.put(NODES, node({ name, address: '192.0.2.1', ...(peer !== undefined && { peer }) }));
  }

  addPod(shape: PodShape): void {
    this.api.put(PODS, pod(shape));
  }

  /** As a router's inspections do, every two seconds. */
  async passes(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 2_000) {
      this.time += 2_000;
      for (const plugin of this.#plugins) plugin.check();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Waits for what inspections bring about. */
  async comes(what: string, isSo: () => boolean): Promise<void> {
    await until(what, async () => {
      if (!isSo()) await this.passes(2_000);
      return isSo();
    });
  }

  /** Waits until a plugin has heard of all that the server has; no time passes meanwhile. */
  async hears(plugin: KubernetesPlugin): Promise<void> {
    const { nodes } = plugin.status().counts;
    this.addNode(`after-${nodes}`);
    await until('the plugin has heard of all', () => plugin.status().counts.nodes > nodes);
  }

  async end(): Promise<void> {
    await Promise.all(this.#plugins.map((plugin) => plugin.stop()));
    this.api.stop();
    for (const directory of [this.directory, this.api.account])
      rmSync(directory, { recursive: true, force: true });
  }

  #host(self: string, isReady: () => Promise<boolean>) {
    return {
      peer: self,
      alive: () => [...this.alive],
      remembers: (peer: string) => this.remembered.has(peer),
      remove: async (peer: string) => {
        if (!this.remembered.has(peer)) throw new WeftError('removed-already', `${peer} was removed`);
        this.remembered.delete(peer);
        this.takeovers.push({ by: self, peer });
      },
      isReady,
    };
  }
}

export function aWorldForEachTest(): () => World {
  let world: World;
  beforeEach(async () => {
    world = await World.create();
  });
  afterEach(() => world.end());
  return () => world;
}

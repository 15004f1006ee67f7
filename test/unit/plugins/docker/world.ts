import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../../src/clock.js';
import { stateFiles } from '../../../../src/daemon/state/index.js';
import { type BookFile, DockerPlugin } from '../../../../src/plugins/docker/index.js';
import { MemoryHost } from '../memory-host.js';
import { Dockerd } from './dockerd.js';

/** Time passes when a test says so. */
class VirtualClock implements Clock {
  #now = 0;
  #tasks: { readonly at: number; readonly task: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(delay: number, task: () => void): () => void {
    const entry = { at: this.#now + delay, task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((each) => each !== entry);
    };
  }

  pass(time: number): void {
    this.#now += time;
    const due = this.#tasks.filter(({ at }) => at <= this.#now);
    this.#tasks = this.#tasks.filter(({ at }) => at > this.#now);
    for (const { task } of due) task();
  }
}

/** One host: what weft does for it in memory, the plugin on a real socket, and Docker. */
export class World {
  readonly directory: string;
  readonly socket: string;
  readonly host = new MemoryHost();
  readonly docker: Dockerd;
  readonly notices: string[] = [];
  readonly failures: string[] = [];
  /** What is in the way of a subnet that nobody chose. */
  way: string | undefined;
  /** Why the disk takes nothing. */
  disk: Error | undefined;
  readonly clock = new VirtualClock();
  plugin: DockerPlugin;

  private constructor(
    directory: string,
    private readonly swarm: boolean,
  ) {
    this.directory = directory;
    this.socket = join(directory, 'docker', 'plugins', 'weft.sock');
    this.docker = new Dockerd(this.socket);
    this.plugin = this.#plugin();
  }

  static async create({ swarm = false } = {}): Promise<World> {
    return new World(await mkdtemp(join(tmpdir(), 'weft-docker-')), swarm);
  }

  /** Another daemon with the same files. */
  async restart(): Promise<void> {
    await this.plugin.stop();
    this.docker.removeAllListeners();
    this.plugin = this.#plugin();
    await this.plugin.start({ enable: false });
  }

  async end(): Promise<void> {
    await this.plugin.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  #file(): BookFile {
    const file = stateFiles(this.directory).docker;
    return {
      read: () => file.read(),
      write: async (content) => {
        if (this.disk !== undefined) throw this.disk;
        await file.write(content as Parameters<typeof file.write>[0]);
      },
    };
  }

  #plugin(): DockerPlugin {
    return new DockerPlugin({
      host: this.host,
      file: this.#file(),
      engines: this.docker,
      swarm: this.swarm,
      socketPath: this.socket,
      clock: this.clock,
      inTheWay: async () => this.way,
      onNotice: (what) => this.notices.push(what),
      onFailure: (what, error) => this.failures.push(`${what}: ${String(error)}`),
    });
  }
}

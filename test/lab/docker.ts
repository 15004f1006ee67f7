/** A real Docker engine on a host of the lab. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, type Finished, run } from './command.js';
import type { Host } from './host.js';
import { Lab } from './lab.js';
import { until } from './until.js';

/** What containers are made of: busybox and nothing else. */
const IMAGE = 'busybox:lab';
const CGROUPS = '/sys/fs/cgroup';

/** Makes an image of busybox with the name `$2` in the directory `$1`; what follows are options of `docker import`. */
const IMPORT = `
  set -e
  mkdir -p "$1" && cd "$1" && shift && name=$1 && shift
  mkdir -p bin etc proc sys dev tmp && cp /bin/busybox bin/
  for applet in $(bin/busybox --list); do [ "$applet" = busybox ] || ln -sf busybox "bin/$applet"; done
  tar -c . | docker import "$@" - "$name"`;

/**
 * In the host's network namespace, and in a mount namespace of its own, so that /run/docker is its own, too. (\`ip netns exec\` would hide the
 * cgroups.) \`$1\` is its directory, \`$2\` the cgroup of its containers.
 */
const DAEMON = `
  mount --bind "$1/run-docker" /run/docker
  exec dockerd --host "unix://$1/docker.sock" --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" \\
    --storage-driver overlay2 --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "$2" >"$1/log" 2>&1`;

export class DockerEngine {
  private constructor(
    private readonly namespace: string,
    private readonly directory: string,
  ) {}

  /** Undefined where an engine runs; else why it does not. */
  static async reasonAgainst(): Promise<string | undefined> {
    const lab = await Lab.create();
    try {
      await lab
        .host()
        .then(DockerEngine.start)
        .then((engine) => engine.remove());
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message.split('\n')[0] : String(error);
    } finally {
      lab.remove();
    }
  }

  /** Starts one, with the packet filter that it makes by itself. The host's router finds it when it is launched afterwards. */
  static async start(host: Host): Promise<DockerEngine> {
    const engine = new DockerEngine(host.namespace, join(host.directory, 'docker'));
    mkdirSync(join(engine.directory, 'run-docker'), { recursive: true });
    mkdirSync('/run/docker', { recursive: true });
    host.engineSocket = engine.socket;
    await engine.start();
    await engine.image(IMAGE);
    return engine;
  }

  get socket(): string {
    return join(this.directory, 'docker.sock');
  }

  async start(): Promise<void> {
    const inside = [`--net=/run/netns/${this.namespace}`, 'unshare', '-m', '--propagation', 'private'];
    await run([
      'setsid',
      '--fork',
      'nsenter',
      ...inside,
      'sh',
      '-c',
      DAEMON,
      'sh',
      this.directory,
      this.#cgroup,
    ]);
    await until('the Docker engine answers', async () => (await this.try('version')).code === 0, {
      within: 30_000,
    });
  }

  /** Makes an image of busybox with these changes to its configuration, such as `LABEL a=b`. */
  async image(name: string, ...changes: readonly string[]): Promise<void> {
    const options = ['CMD ["sleep", "1000000"]', ...changes].flatMap((change) => ['--change', change]);
    const root = join(this.directory, 'busybox');
    await run(['sh', '-c', IMPORT, 'sh', root, name, ...options], { env: this.#environment });
  }

  /** Runs `docker` against it; it must succeed. */
  async docker(...args: readonly string[]): Promise<string> {
    return (await run(['docker', ...args], { env: this.#environment })).trim();
  }

  /** Runs `docker` against it, whatever its exit code. */
  async try(...args: readonly string[]): Promise<Finished> {
    return await attempt(['docker', ...args], { env: this.#environment });
  }

  /** Runs a container in the background that is on no network of Docker's; gives its id. */
  async run(name: string, ...options: readonly string[]): Promise<string> {
    return await this.docker('run', '--detach', '--network', 'none', '--name', name, ...options, IMAGE);
  }

  /** Stops or kills it; its containers that are to be restarted are at its next start. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const pid = Number(readFileSync(join(this.directory, 'pid'), 'utf8'));
    process.kill(pid, signal);
    await until('the Docker engine is gone', () => !existsSync(`/proc/${pid}`), { within: 30_000 });
  }

  /** Removes all containers. */
  async clear(): Promise<void> {
    const all = await this.docker('ps', '--all', '--quiet');
    if (all !== '') await this.docker('rm', '--force', ...all.split('\n'));
  }

  /** Ends it with all of its containers. */
  async remove(): Promise<void> {
    await this.clear();
    await this.stop();
    for (const controller of readdirSync(CGROUPS)) removeCgroup(join(CGROUPS, controller, this.#cgroup));
  }

  get #cgroup(): string {
    return `/${this.namespace}`;
  }

  get #environment(): Record<string, string> {
    return { DOCKER_HOST: `unix://${this.socket}` };
  }
}

function removeCgroup(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(path, entry.name));
  }
  rmdirSync(path);
}

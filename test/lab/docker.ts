/** A real Docker engine on a host of the lab. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, type Finished, run } from './command.js';
import type { Host } from './host.js';
import { Lab } from './lab.js';
import { until } from './until.js';

/** What containers are made of: busybox and nothing else. */
const IMAGE = 'busybox:lab';
/** Docker asks a driver that is not there again and again, ms. */
const PATIENCE = 120_000;
/** The client of Debian's engine: a newer one that may be in the path refuses what this engine can do. */
const CLIENT = '/usr/bin/docker';
/** There where bridged packets can pass the packet filter. */
const BRIDGE_FILTER = '/proc/sys/net/bridge/bridge-nf-call-iptables';

/** Makes an image of busybox with the name `$2` in the directory `$1`; what follows are options of `docker import`. */
const IMPORT = `
  set -e
  mkdir -p "$1" && cd "$1" && shift && name=$1 && shift
  mkdir -p bin etc proc sys dev tmp && cp /bin/busybox bin/
  for applet in $(bin/busybox --list); do [ "$applet" = busybox ] || ln -sf busybox "bin/$applet"; done
  tar -c . | /usr/bin/docker import "$@" - "$name"`;

/**
 * In the host's network namespace, and in a mount namespace of its own, so that /run/docker is that of the host. (\`ip netns exec\` would hide
 * the cgroups.) \`$1\` is its directory, \`$2\` the cgroup of its containers, \`$3\` the host's /run/docker.
 */
const DAEMON = `
  exec >"$1/log" 2>&1
  mount --bind "$3" /run/docker
  dockerd --host "unix://$1/docker.sock" --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" \\
    --storage-driver overlay2 --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "$2" \\
    --dns 169.254.53.53 --dns-search weft.local
  touch "$1/ended"`;

/** What `docker inspect` tells of a container, as far as tests ask. */
export interface Inspected {
  readonly Id: string;
  readonly State: { readonly Running: boolean; readonly Pid: number; readonly ExitCode: number };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, DockerEndpoint>>;
  };
}

export interface DockerEndpoint {
  readonly NetworkID: string;
  readonly EndpointID: string;
  readonly Gateway: string;
  readonly IPAddress: string;
  readonly IPPrefixLen: number;
  readonly GlobalIPv6Address: string;
  readonly MacAddress: string;
}

export class DockerEngine {
  /** An image that every engine of the lab has. */
  static readonly busybox = IMAGE;

  private constructor(private readonly host: Host) {}

  /** Undefined where an engine runs; else why it does not. */
  static async reasonAgainst(): Promise<string | undefined> {
    const lab = await Lab.create();
    try {
      await lab
        .host()
        .then(DockerEngine.start)
        .then((engine) => engine.stop('SIGKILL'));
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message.split('\n')[0] : String(error);
    } finally {
      lab.remove();
    }
  }

  /**
   * Starts one, with the packet filter that it makes by itself, before or after the host's router: they find each other. It ends with the lab,
   * and so does what its containers run.
   */
  static async start(host: Host): Promise<DockerEngine> {
    const engine = new DockerEngine(host);
    for (const directory of [engine.#directory, host.runDocker]) mkdirSync(directory, { recursive: true });
    // Docker forbids what is forwarded by default only where it was the first to allow forwarding at all.
    await host.sysctl({ 'net.ipv4.ip_forward': 0 });
    if (existsSync(BRIDGE_FILTER)) await host.sysctl({ 'net.bridge.bridge-nf-call-iptables': 1 });
    await engine.start();
    await engine.image(IMAGE);
    return engine;
  }

  get socket(): string {
    return this.host.engineSocket;
  }

  async start(): Promise<void> {
    const inside = [`--net=/run/netns/${this.host.namespace}`, 'unshare', '-m', '--propagation', 'private'];
    const daemon = [
      'sh',
      '-c',
      DAEMON,
      'sh',
      this.#directory,
      `/${this.host.namespace}`,
      this.host.runDocker,
    ];
    rmSync(this.#ended, { force: true });
    await run(['setsid', '--fork', 'nsenter', ...inside, ...daemon]);
    const answers = async () => (await this.try('version')).code === 0;
    await until('the Docker engine answers', async () => existsSync(this.#ended) || (await answers()), {
      within: 60_000,
    });
    if (existsSync(this.#ended)) throw new Error(`dockerd ended: ${this.#lastWords}`);
  }

  /** Makes an image of busybox with these changes to its configuration, such as `LABEL a=b`. */
  async image(name: string, ...changes: readonly string[]): Promise<void> {
    const options = ['CMD ["sleep", "1000000"]', ...changes].flatMap((change) => ['--change', change]);
    const root = join(this.#directory, 'busybox');
    await run(['sh', '-c', IMPORT, 'sh', root, name, ...options], { env: this.#environment });
  }

  /** Runs `docker` against it; it must succeed. */
  async docker(...args: readonly string[]): Promise<string> {
    return (await run([CLIENT, ...args], { env: this.#environment, within: PATIENCE })).trim();
  }

  /** Runs `docker` against it, whatever its exit code. */
  async try(...args: readonly string[]): Promise<Finished> {
    return await attempt([CLIENT, ...args], { env: this.#environment, within: PATIENCE });
  }

  /** Runs a container in the background that is on no network of Docker's; gives its id. */
  async run(name: string, ...options: readonly string[]): Promise<string> {
    return await this.runOn('none', name, ...options);
  }

  /** Runs a container in the background on a network; gives its id. */
  async runOn(network: string, name: string, ...options: readonly string[]): Promise<string> {
    return await this.docker('run', '--detach', '--network', network, '--name', name, ...options, IMAGE);
  }

  /** Runs a command in a container that must succeed; gives its stdout. */
  async exec(name: string, ...command: readonly string[]): Promise<string> {
    return await this.docker('exec', name, ...command);
  }

  async inspect(name: string): Promise<Inspected> {
    const [found] = JSON.parse(await this.docker('inspect', '--type', 'container', name)) as [Inspected];
    return found;
  }

  /** Makes a network of the host's router; gives its id. */
  async network(name: string, ...options: readonly string[]): Promise<string> {
    return await this.docker(
      'network',
      'create',
      '--driver',
      'weft',
      '--ipam-driver',
      'weft',
      ...options,
      name,
    );
  }

  /** Waits until it has a network. */
  async hasNetwork(name: string): Promise<void> {
    const found = async () => (await this.try('network', 'inspect', name)).code === 0;
    await until(`Docker has the network ${name}`, found);
  }

  /** Runs Docker Compose with the project of a directory; it must succeed. Gives its stdout. */
  async compose(directory: string, ...args: readonly string[]): Promise<string> {
    const command = [
      'docker-compose',
      '--project-directory',
      directory,
      '--file',
      join(directory, 'docker-compose.yml'),
    ];
    return await run([...command, ...args], { env: this.#environment, within: 120_000 });
  }

  /** Stops or kills it; its containers that are to be restarted are at its next start, which waits in vain for a containerd that is ending. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const [docker, containerd] = ['pid', 'exec/containerd/containerd.pid'].map((file) =>
      Number(readFileSync(join(this.#directory, file), 'utf8')),
    );
    process.kill(docker ?? 0, signal);
    const isGone = () => existsSync(this.#ended) && !existsSync(`/proc/${containerd}`);
    await until('the Docker engine is gone', isGone, { within: 30_000 });
  }

  /** Removes all containers, and all networks that somebody made. */
  async clear(): Promise<void> {
    const containers = await this.docker('ps', '--all', '--quiet');
    if (containers !== '') await this.docker('rm', '--force', ...containers.split('\n'));
    const networks = await this.docker('network', 'ls', '--format', '{{.Name}}', '--filter', 'type=custom');
    const made = networks.split('\n').filter((name) => name !== '' && name !== 'weft');
    if (made.length > 0) await this.docker('network', 'rm', ...made);
  }

  get #directory(): string {
    return join(this.host.directory, 'docker');
  }

  /** There once it has ended, for whatever reason. */
  get #ended(): string {
    return join(this.#directory, 'ended');
  }

  get #lastWords(): string {
    return readFileSync(join(this.#directory, 'log'), 'utf8').trimEnd().split('\n').at(-1) ?? '';
  }

  get #environment(): Record<string, string> {
    return { DOCKER_HOST: `unix://${this.socket}` };
  }
}

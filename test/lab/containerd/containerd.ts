import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PLUGINS } from '../cni.js';
import { run } from '../command.js';
import type { Host } from '../host.js';
import { Node } from '../node.js';
import { until } from '../until.js';
import { type PodSandboxStatus, type PortMapping, RuntimeService } from './runtime-service.js';

const ARCHIVE = fileURLToPath(new URL('../../../scripts/image-archive', import.meta.url));
const PAUSE = 'docker.io/library/pause:lab';

/** Makes the root of a file system that can sleep in the directory `$1`. */
const ROOT = 'mkdir -p "$1/bin" && cp /bin/busybox "$1/bin" && ln -s busybox "$1/bin/sleep"';

/** What it mounts is gone with it, but for the namespaces of pods, which the router must see. */
const DAEMON = `exec unshare --mount --propagation unchanged containerd --config "$0" >"$1" 2>&1`;

/** A pod: its network namespace, as its sandbox has it. */
export class Pod extends Node {
  constructor(
    name: string,
    namespace: string,
    readonly id: string,
    /** Of the first family and of the others. */
    readonly addresses: readonly string[],
  ) {
    super(name, namespace);
  }

  get address(): string {
    return this.addresses.find((address) => !address.includes(':')) ?? '';
  }

  get address6(): string {
    return this.addresses.find((address) => address.includes(':')) ?? '';
  }
}

export interface PodOptions {
  readonly ports?: readonly PortMapping[];
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** containerd on a host of the lab, asked for pods as a kubelet asks it. Several may be on one host, by name. */
export class Containerd {
  readonly #host: Host;
  readonly #directory: string;
  readonly #pods = new Map<string, Pod>();
  readonly service: RuntimeService;

  private constructor(host: Host, name: string) {
    this.#host = host;
    this.#directory = join(host.directory, name);
    this.service = new RuntimeService(this.socket);
  }

  /** Undefined where it can run. */
  static reasonAgainst(): string | undefined {
    const needed = [
      '/usr/bin/containerd',
      '/usr/bin/containerd-shim-runc-v2',
      '/usr/sbin/runc',
      '/bin/busybox',
    ];
    return [...needed, join(PLUGINS, 'portmap'), join(PLUGINS, 'loopback')].find((path) => !existsSync(path));
  }

  /** Starts one without a network. */
  static async start(host: Host, name = 'containerd'): Promise<Containerd> {
    const containerd = new Containerd(host, name);
    const { plugins, configurations } = containerd;
    for (const directory of [plugins, configurations]) mkdirSync(directory, { recursive: true });
    for (const plugin of readdirSync(PLUGINS)) symlinkSync(join(PLUGINS, plugin), join(plugins, plugin));
    const config = containerd.#file('config.toml');
    writeFileSync(config, containerd.#configuration());
    // `ip netns exec` would hide the cgroups.
    const inside = ['nsenter', `--net=/run/netns/${host.namespace}`];
    await run(['setsid', '--fork', ...inside, 'sh', '-c', DAEMON, config, containerd.#file('log')]);
    await until('containerd answers', () => containerd.service.status());
    await run(['sh', '-c', ROOT, 'sh', containerd.#file('pause')]);
    await run([
      ARCHIVE,
      containerd.#file('pause'),
      containerd.#file('pause.tar'),
      PAUSE,
      '{"Cmd":["/bin/sleep","1000000"]}',
    ]);
    await containerd.import(containerd.#file('pause.tar'));
    return containerd;
  }

  get socket(): string {
    return this.#file('containerd.sock');
  }

  /** The directory in which it looks for plugins; those of the distribution are there. */
  get plugins(): string {
    return this.#file('bin');
  }

  /** The directory in which it looks for configurations. */
  get configurations(): string {
    return this.#file('net.d');
  }

  /** Has the host's router put its plugin and configuration there, and waits until containerd has read them. */
  async joins(): Promise<void> {
    await this.#host.weft('cni', 'install', '--bin-dir', this.plugins, '--conf-dir', this.configurations);
    await this.hasNetwork();
  }

  async hasNetwork(): Promise<void> {
    await until('the network is ready', async () => {
      const { status } = await this.service.status();
      return status.conditions.some(({ type, status: isMet }) => type === 'NetworkReady' && isMet);
    });
  }

  async pod(
    name: string,
    { ports = [], namespace = 'default', annotations = {} }: PodOptions = {},
  ): Promise<Pod> {
    const id = await this.service.runPodSandbox({
      metadata: { name, uid: randomUUID(), namespace },
      hostname: name,
      portMappings: ports,
      annotations,
      linux: { cgroupParent: `/${this.#host.namespace}` },
    });
    const found = await this.service.podSandboxStatus(id);
    const { ip, additionalIps } = found.status.network;
    const pod = new Pod(name, namespaceOf(found), id, [ip, ...additionalIps.map((other) => other.ip)]);
    this.#pods.set(id, pod);
    return pod;
  }

  /** Stops and removes a pod. */
  async end({ id }: Pod): Promise<void> {
    await this.service.stopPodSandbox(id);
    await this.service.removePodSandbox(id);
    this.#pods.delete(id);
  }

  /** Ends all its pods. */
  async clear(): Promise<void> {
    await Promise.all([...this.#pods.values()].map((pod) => this.end(pod)));
  }

  /** Takes the images of an archive. */
  async import(archive: string): Promise<void> {
    await this.ctr('images', 'import', archive);
  }

  /** Runs `ctr`, containerd's own command, in the namespace of the kubelet's containers; it must succeed. Gives its stdout. */
  async ctr(...args: readonly string[]): Promise<string> {
    return await run(['ctr', '--address', this.socket, '--namespace', 'k8s.io', ...args], {
      within: 120_000,
    });
  }

  /** What it logged last. */
  get log(): string {
    return readFileSync(this.#file('log'), 'utf8').split('\n').slice(-40).join('\n');
  }

  #file(name: string): string {
    return join(this.#directory, name);
  }

  #configuration(): string {
    return `version = 2
root = "${this.#file('root')}"
state = "${this.#file('state')}"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "${this.socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  stream_server_address = "127.0.0.1"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "${this.plugins}"
  conf_dir = "${this.configurations}"
`;
  }
}

/** As `ip netns` knows it. */
function namespaceOf({ info }: PodSandboxStatus): string {
  const { runtimeSpec } = JSON.parse(info.info ?? '{}') as {
    runtimeSpec: { linux: { namespaces: { type: string; path?: string }[] } };
  };
  return basename(runtimeSpec.linux.namespaces.find(({ type }) => type === 'network')?.path ?? '');
}

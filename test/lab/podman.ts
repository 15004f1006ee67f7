import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PLUGINS } from './cni.js';
import { attempt, CommandFailed, type Finished, run } from './command.js';
import type { Host } from './host.js';

const IMAGE = 'localhost/busybox:lab';
/** A machine of the lab may not raise limits. */
const LIMITS = ['nofile', 'nproc'].flatMap((limit) => ['--ulimit', `${limit}=1024:1024`]);
const PATIENCE = 60_000;

/** Makes the root of a file system with busybox and nothing else in the directory `$1`, and an archive `$2` of it. */
const ROOT = `
  set -e
  mkdir -p "$1" && cd "$1" && mkdir -p bin etc proc sys dev tmp && cp /bin/busybox bin/
  for applet in $(bin/busybox --list); do [ "$applet" = busybox ] || ln -sf busybox "bin/$applet"; done
  tar -c -f "$2" .`;

/** Podman on a host of the lab, with CNI, and with weft installed as its network \`weft\`. Its containers are in the host's network namespace. */
export class Podman {
  readonly #host: Host;

  private constructor(host: Host) {
    this.#host = host;
  }

  /** Undefined where it can run. */
  static reasonAgainst(): string | undefined {
    const needed = ['/usr/bin/podman', '/usr/sbin/runc', '/bin/busybox', join(PLUGINS, 'portmap')];
    return needed.find((path) => !existsSync(path));
  }

  /** On a host whose router runs. */
  static async start(host: Host): Promise<Podman> {
    const podman = new Podman(host);
    const [plugins, configurations, archive] = [
      podman.#file('bin'),
      podman.#file('net.d'),
      podman.#file('root.tar'),
    ];
    mkdirSync(plugins, { recursive: true });
    for (const name of readdirSync(PLUGINS)) symlinkSync(join(PLUGINS, name), join(plugins, name));
    await host.weft('cni', 'install', '--bin-dir', plugins, '--conf-dir', configurations);
    writeFileSync(
      podman.#file('containers.conf'),
      `[network]
network_backend = "cni"
cni_plugin_dirs = ["${plugins}"]
network_config_dir = "${configurations}"
default_network = "weft"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
`,
    );
    await run(['sh', '-c', ROOT, 'sh', podman.#file('root'), archive]);
    await podman.run('import', archive, IMAGE);
    return podman;
  }

  /** Starts a container that does this, or runs it to its end. */
  async container(options: readonly string[], script: string): Promise<string> {
    return await this.run('run', ...LIMITS, '--network', 'weft', ...options, IMAGE, '/bin/sh', '-c', script);
  }

  async run(...args: readonly string[]): Promise<string> {
    const result = await this.attempt(...args);
    if (result.code !== 0) throw new CommandFailed(['podman', ...args], result);
    return result.stdout;
  }

  async attempt(...args: readonly string[]): Promise<Finished> {
    const places = ['--root', this.#file('store'), '--runroot', this.#file('run'), '--storage-driver', 'vfs'];
    // The router must see the namespaces that Podman mounts: `ip netns exec` would hide them.
    const inside = ['nsenter', `--net=/run/netns/${this.#host.namespace}`];
    const env = { ...this.#host.environment, CONTAINERS_CONF: this.#file('containers.conf') };
    return await attempt([...inside, 'podman', ...places, ...args], { env, within: PATIENCE });
  }

  #file(name: string): string {
    return join(this.#host.directory, 'podman', name);
  }
}

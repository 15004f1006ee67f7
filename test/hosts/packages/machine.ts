import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Host, Running, run, until } from '../../lab/index.js';

const MIRROR = 'http://deb.debian.org/debian';
/** For what loads packages, ms. */
const LOADING = 300_000;
const PATH = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin';
const BOOT = fileURLToPath(new URL('boot.sh', import.meta.url));
/** Of cgroup2, which systemd needs; undefined where none is mounted. */
const CGROUPS = / (\S+) cgroup2 rw/.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];

/** A host of a lab with a root file system of its own: a distribution as small as it comes. */
export class Machine {
  /** Whether machines can be booted here. */
  static readonly canBoot = CGROUPS !== undefined;
  #booted: { readonly unshare: Running; readonly init: number } | undefined;

  private constructor(
    readonly host: Host,
    readonly root: string,
  ) {}

  /** Installs a Debian of that name with nothing but what its package manager needs. */
  static async install(host: Host, suite: string): Promise<Machine> {
    const root = join(host.directory, suite);
    await run(['mmdebstrap', '--quiet', '--variant=apt', suite, root, MIRROR], { within: LOADING });
    const machine = new Machine(host, root);
    mkdirSync(join(root, 'dev/net'), { recursive: true });
    copyFileSync('/etc/resolv.conf', join(root, 'etc/resolv.conf'));
    await machine.online('apt-get', 'update');
    return machine;
  }

  /** Has its systemd start it; these network namespaces are files in its /srv from now on. */
  async boot(namespaces: readonly string[]): Promise<void> {
    writeFileSync(join(this.root, 'etc/machine-id'), '');
    // Not by `ip netns exec`, which hides the control groups.
    const enter = ['nsenter', `--net=/run/netns/${this.host.namespace}`];
    const unshare = new Running([...enter, 'sh', BOOT, this.root, this.#cgroup, ...namespaces]);
    const init = await until('the machine has a first process', async () => {
      const pid = Number(await run(['pgrep', '--parent', `${unshare.pid}`]));
      return pid > 0 && readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'systemd' && pid;
    });
    this.#booted = { unshare, init };
    await until('it has started', () => this.run('systemctl', 'is-system-running', '--wait'), {
      within: 60_000,
    });
  }

  /** Ends what was booted, as a power cut does. */
  async halt(): Promise<void> {
    await this.#booted?.unshare.stop('SIGKILL');
    this.#booted = undefined;
    if (!existsSync(this.#cgroup)) return;
    const remove = () => run(['find', this.#cgroup, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+']);
    await until('its control groups are empty', () => remove().then(() => true));
  }

  get #cgroup(): string {
    return join(CGROUPS ?? '', this.host.namespace);
  }

  /** Gives it a file; returns where that is there. */
  give(file: string, name: string): string {
    copyFileSync(file, join(this.root, 'srv', name));
    return join('/srv', name);
  }

  /** Gives it a package that differs in nothing but its version; returns where that is there. */
  async giveAnother(file: string, version: string): Promise<string> {
    const tree = join(this.host.directory, 'package');
    await run(['dpkg-deb', '--raw-extract', file, tree], { within: LOADING });
    await run(['sed', '-i', `s/^Version: .*/Version: ${version}/`, join(tree, 'DEBIAN/control')]);
    const told = `s/"version": ".*"/"version": "${version}"/`;
    await run(['sed', '-i', told, join(tree, 'usr/lib/weft/package.json')]);
    const target = join(this.root, 'srv/another.deb');
    await run(['dpkg-deb', '--root-owner-group', '-Zgzip', '-z1', '--build', tree, target], {
      within: LOADING,
    });
    return '/srv/another.deb';
  }

  /** Runs a command there that loads packages, which the network of a lab does not reach. */
  async online(...command: string[]): Promise<string> {
    return await run(this.#inside(command), { within: LOADING });
  }

  async run(...command: string[]): Promise<string> {
    if (this.#booted !== undefined) {
      const inside = ['nsenter', '--target', `${this.#booted.init}`, '--all', 'env', '-i', PATH, ...command];
      return await run(inside, { within: LOADING });
    }
    return await this.host.run(this.#inside(command), { within: LOADING });
  }

  /** What is mounted is so for this command alone, and those that it starts. */
  #inside(command: readonly string[]): string[] {
    const mounts = [
      'mount -t proc proc "$0/proc"',
      'mount -t sysfs sys "$0/sys"',
      'mount --rbind /dev "$0/dev"',
      'exec chroot "$0" "$@"',
    ];
    return ['unshare', '--mount', 'sh', '-c', mounts.join(' && '), this.root, ...command];
  }
}

import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Host, run } from '../../lab/index.js';

const MIRROR = 'http://deb.debian.org/debian';
/** For what loads packages, ms. */
const LOADING = 300_000;

/** A host of a lab with a root file system of its own: a distribution as small as it comes. */
export class Machine {
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

  /** Gives it a file, below /tmp; returns where that is there. */
  give(file: string, name: string): string {
    copyFileSync(file, join(this.root, 'tmp', name));
    return join('/tmp', name);
  }

  /** Runs a command there that loads packages, which the network of a lab does not reach. */
  async online(...command: string[]): Promise<string> {
    return await run(this.#inside(command), { within: LOADING });
  }

  async run(...command: string[]): Promise<string> {
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

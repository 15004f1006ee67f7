import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';

/** How often to look whether the files changed, in milliseconds: when somebody asks, and not more often than this. */
const CHECK_INTERVAL = 1_000;
const MAX_SERVERS = 8;
/** systemd-resolved's stub, and where it keeps the servers that it asks itself. */
const STUB = '127.0.0.53';
const BEHIND_STUB = '/run/systemd/resolve/resolv.conf';

export interface UpstreamsOptions {
  /** Path of the host's resolv.conf. */
  readonly file: string;
  /** Our own addresses: never to be asked. */
  readonly own: readonly string[];
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

/** The servers that the host asks, read again when its configuration changed. */
export class Upstreams {
  readonly #options: UpstreamsOptions;
  #servers: readonly string[] = [];
  #state = '';
  #checkedAt = -Infinity;
  #checking: Promise<void> | undefined;

  constructor(options: UpstreamsOptions) {
    this.#options = options;
  }

  /** IP addresses, IPv6 perhaps with `%zone`, best first. */
  async list(): Promise<readonly string[]> {
    const { now } = this.#options;
    if (now() - this.#checkedAt >= CHECK_INTERVAL) {
      this.#checking ??= this.#check().finally(() => {
        this.#checkedAt = now();
        this.#checking = undefined;
      });
    }
    await this.#checking;
    return this.#servers;
  }

  async #check(): Promise<void> {
    const { file, own } = this.#options;
    const state = (await Promise.all([file, BEHIND_STUB].map(stateOf))).join();
    if (state === this.#state) return;
    const named = await nameservers(file);
    const behind = named.includes(STUB) ? await nameservers(BEHIND_STUB) : [];
    const real = behind.length > 0 ? named.flatMap((name) => (name === STUB ? behind : [name])) : named;
    this.#servers = [...new Set(real)].filter((server) => !own.includes(server)).slice(0, MAX_SERVERS);
    this.#state = state;
  }
}

/** Changes whenever the file does. */
async function stateOf(path: string): Promise<string> {
  return stat(path, { bigint: true }).then(
    ({ ino, mtimeNs, size }) => `${ino} ${mtimeNs} ${size}`,
    () => 'none',
  );
}

/** The servers of a resolv.conf; none when it cannot be read. */
async function nameservers(path: string): Promise<string[]> {
  return nameserversIn(await readFile(path, 'utf8').catch(() => ''));
}

/** The addresses of the `nameserver` lines of a resolv.conf, IPv6 ones perhaps with `%zone`. */
export function nameserversIn(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [, server = ''] = /^\s*nameserver\s+(\S+)/.exec(line) ?? [];
    return isIP(server) === 0 ? [] : [server];
  });
}

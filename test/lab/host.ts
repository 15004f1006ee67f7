import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Report } from '../../src/api/index.js';
import { ask } from '../../src/cli/client.js';
import { Capture } from './capture.js';
import { attempt, CommandFailed, type Finished, Running } from './command.js';
import type { Container } from './container.js';
import { Node } from './node.js';
import { until } from './until.js';
import type { Port } from './wire.js';

/** The command. */
export const WEFT = fileURLToPath(new URL('../../bin/weft', import.meta.url));

export interface LaunchOptions {
  /** Hosts or addresses to connect to. */
  peers?: (Host | string)[];
  token?: string;
  password?: string;
  cipher?: string;
  mtu?: number;
  port?: number;
  bridge?: string;
  /** More arguments, as a user would write them. */
  args?: string[];
}

/** What `weft launch` answered, and how long it took. */
export interface Launched {
  peer: string;
  seconds: number;
}

/** A machine that may run a router, with its own run and state directories. */
export class Host extends Node {
  readonly containers: Container[] = [];
  /** What else is set for `weft` here. */
  readonly variables: Record<string, string> = {};
  /** The command that is `weft` here: that of this tree, until a test chooses another one. */
  program = WEFT;
  readonly runDirectory: string;
  readonly stateDirectory: string;
  /** Where this host's container engine listens, if it is started. */
  readonly engineSocket: string;
  #captures = 0;

  constructor(
    name: string,
    namespace: string,
    readonly directory: string,
    private readonly addContainer: (host: Host, name: string) => Promise<Container>,
  ) {
    super(name, namespace);
    this.runDirectory = join(directory, 'run');
    this.stateDirectory = join(directory, 'state');
    this.engineSocket = join(directory, 'docker', 'docker.sock');
  }

  /** The port on the first wire. */
  get port(): Port {
    const [port] = this.ports;
    if (port === undefined) throw new Error(`${this.name} is on no wire`);
    return port;
  }

  /** The IPv4 address on the first wire. */
  get address(): string {
    return this.port.address;
  }

  /** The IPv6 address on the first wire. */
  get address6(): string {
    return this.port.address6;
  }

  /** Runs `weft` here; it must succeed. Returns its stdout. */
  async weft(...args: string[]): Promise<string> {
    const result = await this.tryWeft(...args);
    if (result.code !== 0)
      throw new CommandFailed(['weft', ...args], result, `failed on ${this.name}\n${this.logs()}`);
    return result.stdout;
  }

  /** Runs `weft` here, whatever its exit code. */
  async tryWeft(...args: string[]): Promise<Finished> {
    return await attempt(this.weftCommand(args), { env: this.environment });
  }

  /** Starts `weft` here and leaves it running. */
  startWeft(...args: string[]): Running {
    return new Running(this.weftCommand(args), { env: this.environment });
  }

  /** Runs `weft … -o json` here and parses the answer. */
  async weftJson<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.weft(...args, '-o', 'json')) as T;
  }

  /** Launches the router; returns when it is ready. */
  async launch(options: LaunchOptions = {}): Promise<Launched> {
    const started = performance.now();
    const { peer } = await this.weftJson<{ peer: string }>(...this.launchArguments(options));
    return { peer, seconds: (performance.now() - started) / 1000 };
  }

  /** The arguments that `launch` gives to `weft`. */
  launchArguments(options: LaunchOptions = {}): string[] {
    const flags = {
      '--nickname': this.name,
      '--token': options.token,
      '--password': options.password,
      '--cipher': options.cipher,
      '--mtu': options.mtu,
      '--port': options.port,
      '--bridge': options.bridge,
    };
    const given = Object.entries(flags).flatMap(([flag, value]) =>
      value === undefined ? [] : [flag, `${value}`],
    );
    const peers = (options.peers ?? []).map((peer) => (peer instanceof Host ? peer.address : peer));
    return ['launch', ...given, ...(options.args ?? []), ...peers];
  }

  /** The token that lets others join. */
  async token(): Promise<string> {
    return (await this.weftJson<{ token: string }>('token')).token;
  }

  /** Everything that the router tells about itself. Asks it without a command in between: tests do so again and again. */
  async report(): Promise<Report> {
    return await ask<Report>(this.runDirectory, 'GET', '/report');
  }

  /** Waits until traffic flows directly between this router and that of another host. */
  async isConnectedTo(other: Host, within = 10_000): Promise<void> {
    await until(
      `${this.name} is connected to ${other.name}`,
      async () =>
        (await this.report()).connections.some(
          ({ nickname, udp }) => nickname === other.name && udp === 'up',
        ),
      { within, every: 100 },
    );
  }

  /** A container on this host: a namespace without a wire, attached to the overlay with these addresses. */
  async container(name: string, ...addresses: string[]): Promise<Container> {
    const container = await this.addContainer(this, name);
    this.containers.push(container);
    if (addresses.length > 0) await container.attach(...addresses);
    return container;
  }

  /** Captures what passes the interface on the first wire (or another device). */
  async capture(device = this.port.device): Promise<Capture> {
    this.#captures += 1;
    return await Capture.start(this, device, join(this.directory, `capture-${this.#captures}.pcap`));
  }

  /** The daemon's process id; throws while there is none. */
  get daemon(): number {
    const pid = Number(readFileSync(join(this.runDirectory, 'daemon.pid'), 'utf8'));
    if (pid === 0) throw new Error(`the daemon of ${this.name} is about to write its pid`); // 0 would be ourselves
    return pid;
  }

  /** The forwarder's process id; throws while there is none. */
  get forwarder(): number {
    const pid = this.processes().find((candidate) => programOf(candidate) === 'weft-forwarder');
    if (pid === undefined) throw new Error(`no forwarder runs on ${this.name}`);
    return pid;
  }

  /** Kills the router, both processes. */
  async crash(): Promise<void> {
    process.kill(this.daemon, 'SIGKILL');
    process.kill(this.forwarder, 'SIGKILL');
    await this.isQuiet();
  }

  /** Waits until nothing of the router runs here any more. */
  async isQuiet(): Promise<void> {
    await until(`no process is left on ${this.name}`, () => this.processes().length === 0);
  }

  /** The router's logs, as a test shows them when it failed. */
  logs(): string {
    const text = ['daemon.log', 'forwarder.log'].map((name) => {
      const file = join(this.runDirectory, name);
      return `--- ${this.name} ${name}\n${existsSync(file) ? lastLines(readFileSync(file, 'utf8')) : '(none)'}`;
    });
    return text.join('\n');
  }

  /** Every file below the run and state directories. */
  files(): string[] {
    const existing = [this.runDirectory, this.stateDirectory].filter((directory) => existsSync(directory));
    return existing.flatMap((directory) => [
      directory,
      ...readdirSync(directory, { encoding: 'utf8', recursive: true }),
    ]);
  }

  get environment(): Record<string, string> {
    return {
      WEFT_RUN_DIR: this.runDirectory,
      WEFT_STATE_DIR: this.stateDirectory,
      DOCKER_HOST: `unix://${this.engineSocket}`,
      ...this.variables,
    };
  }

  /** Gives this host a file in /etc of its own (`hosts`, `resolv.conf`): what is launched from now on sees it, and what is written into it later. */
  etc(file: 'hosts' | 'resolv.conf', text: string): void {
    mkdirSync(this.#etc, { recursive: true });
    writeFileSync(join(this.#etc, file), text);
  }

  weftCommand(args: readonly string[]): string[] {
    return this.own([this.program, ...args]);
  }

  /** A command in here that sees the directories of this host alone: its files in /etc, and its /run/docker, which it shares with its engine. */
  own(command: readonly string[]): string[] {
    mkdirSync(this.runDocker, { recursive: true, mode: 0o700 });
    return this.inside(['sh', '-c', OWN_DIRECTORIES, this.directory, ...command]);
  }

  /** What is /run/docker here. */
  get runDocker(): string {
    return join(this.directory, 'run-docker');
  }

  get #etc(): string {
    return join(this.directory, 'etc');
  }
}

/** `ip netns exec` gives each command a mount namespace of its own. A host that was booted again has an id of that boot. */
const OWN_DIRECTORIES = `
  [ ! -e "$0/boot_id" ] || mount --bind "$0/boot_id" /proc/sys/kernel/random/boot_id || exit
  for file in hosts resolv.conf; do
    [ ! -e "$0/etc/$file" ] || mount --bind "$0/etc/$file" "/etc/$file" || exit
  done
  [ ! -d /run/docker ] || mount --bind "$0/run-docker" /run/docker || exit
  exec "$@"`;
const LOG_LINES = 60;

const lastLines = (text: string) => text.trimEnd().split('\n').slice(-LOG_LINES).join('\n');

function programOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return ''; // it ended meanwhile
  }
}

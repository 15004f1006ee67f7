import { attempt, type Finished, Running, type RunOptions, run } from './command.js';
import { processesIn } from './ground.js';
import { until } from './until.js';
import type { Port } from './wire.js';

/** Anything with a network stack of its own: a host, a router, a container, a switch. */
export class Node {
  readonly ports: Port[] = [];

  constructor(
    readonly name: string,
    /** Name of the network namespace, as `ip netns` knows it. */
    readonly namespace: string,
  ) {}

  /** Runs a command in here that must succeed; returns its stdout. */
  async run(command: readonly string[], options?: RunOptions): Promise<string> {
    return await run(this.inside(command), options);
  }

  /** Runs a command in here to its end, whatever its exit code. */
  async attempt(command: readonly string[], options?: RunOptions): Promise<Finished> {
    return await attempt(this.inside(command), options);
  }

  /** Starts a command in here and leaves it running. */
  start(command: readonly string[], options?: RunOptions): Running {
    return new Running(this.inside(command), options);
  }

  /** Runs iproute2 in here; with several lines, as one batch. */
  async ip(...lines: string[]): Promise<void> {
    await run(['ip', '-n', this.namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` });
  }

  /** Reads from iproute2 in here. */
  async ipJson<T>(...args: string[]): Promise<T> {
    return JSON.parse(await run(['ip', '-n', this.namespace, '-json', ...args])) as T;
  }

  /** Feeds nft in here. */
  async nft(rules: string): Promise<string> {
    return await this.run(['nft', '--echo', '--handle', '--file', '-'], { input: `${rules}\n` });
  }

  async sysctl(settings: Record<string, string | number>): Promise<void> {
    const pairs = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
    await this.run(['sysctl', '--quiet', '--write', ...pairs]);
  }

  /** Sends what is not for its own wires through `router`, with which it shares one. */
  async routeThrough(router: Node): Promise<void> {
    const gateway = router.ports.find((theirs) => this.ports.some((own) => own.wire === theirs.wire));
    if (gateway === undefined) throw new Error(`${this.name} and ${router.name} share no wire`);
    await this.ip(`route add default via ${gateway.address}`);
    if (gateway.wire.carriesIpv6) await this.ip(`route add ::/0 via ${gateway.address6}`);
  }

  /** The processes in here, by pid. */
  processes(): number[] {
    return processesIn(this.namespace);
  }

  /** Pings until one answer came; fails after `within` ms. */
  async reaches(address: string, { within = 10_000 } = {}): Promise<void> {
    await until(
      `${this.name} reaches ${address}`,
      () => this.run(['ping', '-n', '-c', '1', '-W', '1', address]),
      { within },
    );
  }

  /** Whether one ping of the given payload size (bytes) is answered within a second. */
  async ping(address: string, { size = 56, flags = [] as string[] } = {}): Promise<boolean> {
    const command = ['ping', '-n', '-c', '1', '-W', '1', '-s', `${size}`, ...flags, address];
    return (await this.attempt(command)).code === 0;
  }

  protected inside(command: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.namespace, ...command];
  }
}

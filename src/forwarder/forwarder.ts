import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, WeftError } from '../errors.js';
import { limitLearning, openKernelPath, openTap, passStream, type RunOptions } from './binary.js';
import {
  type AnswerOf,
  ControlClient,
  type ForwarderEvent,
  type ForwarderHello,
  type Operation,
  Operations,
  type RequestOf,
} from './control/index.js';
import { MAX_LEARNED } from './limits.js';
import { endForwarders, forwardersGone, killForwarder, killForwarders } from './processes.js';
import { StartingForwarder } from './starting.js';
import { hangs } from './watchdog.js';

/** One that does not answer a simple question for so long may hang. */
const HANGS_AFTER = 2_000;
/** For one that takes the place of another. */
const SUCCESSION_TIMEOUT = 5_000;
const BACKOFF_FIRST = 100;
const BACKOFF_MAX = 5_000;
/** A forwarder that lived so long (ms) died of something new: it is started again at once. */
const HEALTHY_LIFE = 10_000;

export interface ForwarderOptions extends Omit<RunOptions, 'predecessor'> {
  /** Own short id, 16 hexadecimal digits. */
  readonly self: string;
  /** Frames to everybody that a segment may send in a second, for each worker; 0: as many as come. */
  readonly stormLimit: number;
}

/** An Ethernet segment that the forwarder serves through a TAP. */
export interface ForwarderNetwork {
  readonly network: number;
  /** Name of the TAP device. */
  readonly name: string;
  readonly mtu: number;
}

export interface ForwarderEvents {
  /** Connected, own id and networks set, events subscribed. `adopted`: it was running before us. */
  ready: [state: { readonly pid: number; readonly adopted: boolean }];
  /** The connection is gone; it is being started again. */
  lost: [];
  event: [event: ForwarderEvent];
  warning: [error: WeftError];
}

/**
 * The one forwarder of this router: adopts the running one or starts it, keeps it running, and keeps it in the desired state
 * (own id, networks). It is left running by `detach` and by the end of this process.
 */
export class Forwarder extends Operations<ForwarderEvents> {
  readonly #options: ForwarderOptions;
  readonly #networks = new Map<number, ForwarderNetwork>();
  #client: ControlClient | undefined;
  #hello: ForwarderHello | undefined;
  #ending = false;
  #busy: Promise<void> = Promise.resolve();
  #readyAt = 0;
  #earlyDeaths = 0;
  /** Takes the place of the running one as soon as that ends. */
  #successor: StartingForwarder | undefined;
  #exchange: Promise<void> | undefined;

  constructor(options: ForwarderOptions) {
    super();
    this.#options = options;
  }

  get connected(): boolean {
    return this.#client !== undefined && !this.#client.closed;
  }

  /** What the forwarder said of itself when we connected; undefined while there is none. */
  get running(): ForwarderHello | undefined {
    return this.connected ? this.#hello : undefined;
  }

  /** Adopts or starts the forwarder. Rejects when it cannot be started the first time; later failures are retried. */
  async start(): Promise<void> {
    await this.#busyWith(this.#establish());
  }

  /** Leaves the forwarder running and forgets it. */
  detach(): void {
    this.#ending = true;
    this.#client?.close();
  }

  /** Ends the forwarder, whatever state it is in. */
  async stop(): Promise<void> {
    this.#ending = true;
    await this.#busy; // one that is just being started must not be overlooked
    if (this.#client !== undefined) await stopPolitely(this.#client, this.#options.controlPath);
    await endForwarders(this.#options.controlPath);
  }

  /**
   * Has another forwarder take the place of the running one, of the program as it is on the disk now. It does what takes long before that
   * one ends. Rejects with `forwarder-failed` or `program-missing` when it cannot, and with `forwarder-timeout` when the running one does
   * not answer: then that one goes on; with `forwarder-lost` when there is none; with `forwarder-failed`, too, when it is not ready in time.
   */
  exchange(): Promise<void> {
    this.#exchange ??= this.#succeed().finally(() => {
      this.#exchange = undefined;
    });
    return this.#exchange;
  }

  async #succeed(): Promise<void> {
    const client = this.#required();
    const { pid } = await client.hello(HANGS_AFTER);
    const successor = new StartingForwarder({ ...this.#options, predecessor: pid });
    await successor.prepared();
    if (this.#client !== client) throw new WeftError('forwarder-lost', 'the forwarder ended meanwhile');
    this.#successor = successor;
    const ready = once(this, 'ready', { signal: AbortSignal.timeout(SUCCESSION_TIMEOUT) }).catch((cause) => {
      throw new WeftError('forwarder-failed', 'the new forwarder is not ready yet', { cause });
    });
    // The successor serves the same socket, and is not to be killed with it.
    const stopped = client.request('stop', {}).catch(() => killForwarder(pid));
    await Promise.all([stopped, ready]);
  }

  /** Serves a segment from now on, also after restarts; the TAP is created if it is absent. */
  async openNetwork(network: ForwarderNetwork): Promise<void> {
    this.#networks.set(network.network, network);
    await this.#openNetwork(this.#required(), network);
  }

  /** Bounds what a bridge learns by itself. */
  async limitLearning(bridge: string): Promise<void> {
    await limitLearning({ binary: this.#options.binary, bridge, addresses: MAX_LEARNED });
  }

  async closeNetwork(network: number): Promise<void> {
    this.#networks.delete(network);
    await this.request('network.remove', { network });
  }

  /**
   * Has the kernel paths of a network probed through that VXLAN device, which is up. A forwarder that is started again knows nothing
   * of it, and takes nothing from a device that went down or was deleted (event `kernel-path-lost`). Rejects with `kernel-path-failed`.
   */
  async openKernelPath(network: number, name: string): Promise<void> {
    const { binary, controlPath } = this.#options;
    await openKernelPath({ binary, controlPath, network, name });
  }

  /** Gives it a TCP connection to a peer, to carry data where UDP does not pass. Rejects with `stream-failed`. */
  async passStream(peer: string, socket: Socket): Promise<void> {
    const { binary, controlPath } = this.#options;
    await passStream({ binary, controlPath, peer, socket });
  }

  /** Rejects with `forwarder-lost` while there is no forwarder. */
  protected override async request<Op extends Operation>(
    op: Op,
    fields: RequestOf<Op>,
  ): Promise<AnswerOf<Op>> {
    return this.#required().request(op, fields);
  }

  /** Remembers what is going on, so that `stop` can wait for its end. */
  #busyWith(work: Promise<void>): Promise<void> {
    this.#busy = work.catch(() => {});
    return work;
  }

  #required(): ControlClient {
    if (this.#client !== undefined) return this.#client;
    throw new WeftError('forwarder-lost', 'the forwarder is not running, it is being started again');
  }

  async #establish(): Promise<void> {
    const successor = this.#successor;
    this.#successor = undefined;
    const running = successor === undefined ? await this.#adopt() : undefined;
    const client = running ?? (await (successor ?? new StartingForwarder(this.#options)).connect());
    try {
      await this.#configure(client);
    } catch (error) {
      client.close();
      throw error;
    }
    if (this.#ending) return client.close();
    this.#readyAt = performance.now();
    this.emit('ready', { pid: this.#hello?.pid ?? 0, adopted: running !== undefined });
  }

  /** The running forwarder, if it is one that we can use; any other is ended. */
  async #adopt(): Promise<ControlClient | undefined> {
    const { controlPath } = this.#options;
    let client: ControlClient;
    try {
      client = await ControlClient.connect(controlPath);
    } catch {
      await endForwarders(controlPath);
      return undefined;
    }
    const misfit = await this.#misfit(client);
    if (misfit === undefined) return client;
    this.emit('warning', new WeftError('forwarder-replaced', `the running forwarder is replaced: ${misfit}`));
    await stopPolitely(client, controlPath);
    await endForwarders(controlPath);
    return undefined;
  }

  async #misfit(client: ControlClient): Promise<string | undefined> {
    const { port, workers, udpPorts } = this.#options;
    try {
      const hello = await client.hello();
      if (hello.port !== port) return `it has port ${hello.port}, not ${port}`;
      if (workers !== undefined && hello.workers !== workers) {
        return `it has ${hello.workers} workers, not ${workers}`;
      }
      const ports = hello.sourcePorts.length + 1;
      if (ports !== udpPorts) return `it sends from ${ports} UDP ports, not ${udpPorts}`;
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  async #configure(client: ControlClient): Promise<void> {
    client.on('event', (event) => this.#onEvent(event));
    client.on('malformed', (cause) =>
      this.emit('warning', new WeftError('forwarder-protocol', cause.message, { cause })),
    );
    this.#hello = await client.hello();
    await client.request('subscribe', {});
    await client.request('self', { peer: this.#options.self });
    await client.request('storm.set', { limit: this.#options.stormLimit });
    await this.#switchOffloads(client, this.#hello);
    for (const network of this.#networks.values()) await this.#openNetwork(client, network);
    if (client.closed) throw new WeftError('forwarder-lost', 'the forwarder ended while it was being set up');
    this.#client = client;
    client.once('close', () => this.#onClose());
    void this.#watch(client);
  }

  /** One that holds its socket open but answers nothing is killed, and so started again. */
  async #watch(client: ControlClient): Promise<void> {
    const closed = new AbortController();
    client.once('close', () => closed.abort());
    const ask = () => client.hello(HANGS_AFTER);
    if (!(await hangs(ask, closed.signal))) return;
    this.emit(
      'warning',
      new WeftError('forwarder-hangs', 'the forwarder does not answer any more, it is killed'),
    );
    killForwarders(this.#options.controlPath);
  }

  /** An adopted forwarder may have been started with other switches. */
  async #switchOffloads(client: ControlClient, hello: ForwarderHello): Promise<void> {
    for (const { name, available, enabled } of hello.offloads) {
      const wanted = available && !this.#options.disabledOffloads.includes(name);
      if (wanted !== enabled) await client.setOffload(name, wanted);
    }
  }

  /** Leaves the queues alone when the forwarder has them: traffic goes on through an adoption. */
  async #openNetwork(client: ControlClient, { network, name, mtu }: ForwarderNetwork): Promise<void> {
    const { networks } = await client.dump();
    const open = networks.find((state) => state.network === network && state.name === name);
    if (open === undefined || open.queues === 0) {
      const { binary, controlPath } = this.#options;
      await openTap({ binary, controlPath, network, name, queues: this.#hello?.workers ?? 1 });
    }
    await client.request('network.mtu', { network, mtu });
  }

  #onEvent(event: ForwarderEvent): void {
    this.emit('event', event);
  }

  #onClose(): void {
    this.#client = undefined;
    this.emit('lost');
    if (!this.#ending) void this.#busyWith(this.#restart());
  }

  async #restart(): Promise<void> {
    const isEarly = this.#successor === undefined && performance.now() - this.#readyAt < HEALTHY_LIFE;
    this.#earlyDeaths = isEarly ? this.#earlyDeaths + 1 : 0;
    while (!this.#ending) {
      if (this.#earlyDeaths > 1) await delay(backoff(this.#earlyDeaths - 2));
      if (this.#ending) return;
      try {
        return await this.#establish();
      } catch (error) {
        this.#earlyDeaths++;
        this.emit('warning', asWeftError(error));
      }
    }
  }
}

function backoff(attempt: number): number {
  return Math.min(BACKOFF_FIRST * 2 ** attempt, BACKOFF_MAX);
}

async function stopPolitely(client: ControlClient, controlPath: string): Promise<void> {
  const closed = client.closed ? Promise.resolve() : once(client, 'close');
  await client.request('stop', {}).catch(() => client.close());
  await closed;
  await forwardersGone(controlPath);
}

function asWeftError(error: unknown): WeftError {
  if (error instanceof WeftError) return error;
  return new WeftError('forwarder-failed', String(error), { cause: error });
}

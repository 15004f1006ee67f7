/** Typed access to the traffic program (native/traffic.cc), which `make build` compiles. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Finished, Running } from './command.js';
import type { Node } from './node.js';

const fromHere = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The program: of an installed weft, for its demo, or of the repository. */
export const TRAFFIC = [fromHere('bin/weft-traffic'), fromHere('build/lab/traffic')].find(existsSync) ?? '';

/** What a receiver of numbered datagrams saw. */
export interface Seen {
  received: number;
  distinct: number;
  duplicates: number;
  reordered: number;
  highest: number;
  /** The longest time between two datagrams, s. */
  longestGap: number;
}

/** What one end of a TCP connection sent and received. */
export interface Exchanged {
  sent: number;
  received: number;
  sentChecksum: string;
  receivedChecksum: string;
  seconds: number;
  longestGap: number;
}

/** A receiver of numbered datagrams, until it is asked. */
export class Listener {
  private constructor(private readonly process: Running) {}

  static async start(
    node: Node,
    port: number,
    multicast?: { group: string; device: string },
  ): Promise<Listener> {
    const joined = multicast === undefined ? [] : ['--group', multicast.group, '--device', multicast.device];
    const process = node.start([TRAFFIC, 'udp-receive', `${port}`, ...joined]);
    await process.says(/ready/);
    return new Listener(process);
  }

  /** Ends it and tells what it saw. */
  async stop(): Promise<Seen> {
    return parse<Seen>(await this.process.stop());
  }
}

export interface Stream {
  /** Datagrams a second. */
  rate: number;
  /** Bytes of each. */
  size: number;
  count?: number;
  device?: string;
}

/** A sender of numbered, evenly paced datagrams. */
export class Sender {
  private constructor(private readonly process: Running) {}

  static async start(node: Node, address: string, port: number, stream: Stream): Promise<Sender> {
    const options = Object.entries(stream).flatMap(([name, value]) => [`--${name}`, `${value}`]);
    const process = node.start([TRAFFIC, 'udp-send', address, `${port}`, ...options]);
    await process.says(/ready/);
    return new Sender(process);
  }

  /** Ends it and tells how many it sent. */
  async stop(): Promise<{ sent: number; seconds: number }> {
    return parse(await this.process.stop());
  }

  /** Waits until it has sent its count. */
  async ends(within?: number): Promise<{ sent: number; seconds: number }> {
    return parse(await this.process.ends(within));
  }
}

/** One TCP connection on which both ends send at once. */
export class Exchange {
  private constructor(
    private readonly server: Running,
    private readonly client: Running,
  ) {}

  /** Each end sends this many bytes; with 0, until it is stopped. */
  static async start(from: Node, to: Node, address: string, bytes: number, port = 5001): Promise<Exchange> {
    const server = to.start([TRAFFIC, 'stream-serve', `${port}`, `${bytes}`]);
    await server.says(/ready/);
    const client = from.start([TRAFFIC, 'stream-connect', address, `${port}`, `${bytes}`]);
    await client.says(/ready/);
    return new Exchange(server, client);
  }

  /** Waits until both ends have everything. */
  async ends(within = 60_000): Promise<[Exchanged, Exchanged]> {
    const [client, server] = await Promise.all([this.client.ends(within), this.server.ends(within)]);
    return [parse<Exchanged>(client), parse<Exchanged>(server)];
  }

  /** Lets both ends stop sending, and waits until each has what the other sent. */
  async stop(within = 30_000): Promise<[Exchanged, Exchanged]> {
    this.client.signal('SIGINT');
    this.server.signal('SIGINT');
    return await this.ends(within);
  }
}

/** Sends one raw Ethernet frame. */
export async function sendFrame(from: Node, device: string, to: string, etherType: number, text: string) {
  await from.run([TRAFFIC, 'frame-send', device, to, `${etherType}`, text]);
}

/** Sends these Ethernet frames as they are, source included. */
export async function sendFrames(from: Node, device: string, frames: readonly Buffer[]) {
  const input = frames.map((frame) => `${frame.toString('hex')}\n`).join('');
  await from.run([TRAFFIC, 'frames', device], { input });
}

/** A sender that goes on until it is stopped; then it tells how many frames went. */
export interface Flood {
  stop(): Promise<{ sent: number }>;
}

/** Sends these Ethernet frames again and again, `rate` a second. */
export async function sendFlood(from: Node, device: string, frames: readonly Buffer[], rate: number) {
  return await sendAgain('flood', from, device, frames, rate);
}

/** The same with many of them changed. */
export async function sendGarbage(from: Node, device: string, frames: readonly Buffer[], rate: number) {
  return await sendAgain('garbage', from, device, frames, rate);
}

async function sendAgain(
  how: string,
  from: Node,
  device: string,
  frames: readonly Buffer[],
  rate: number,
): Promise<Flood> {
  const input = frames.map((frame) => `${frame.toString('hex')}\n`).join('');
  const process = from.start([TRAFFIC, how, device, `${rate}`], { input });
  await process.says(/ready/);
  return { stop: async () => parse<{ sent: number }>(await process.stop()) };
}

/** Returns a function that waits for the first frame of this EtherType and returns its content. */
export async function awaitFrame(
  node: Node,
  device: string,
  etherType: number,
): Promise<() => Promise<string>> {
  const process = node.start([TRAFFIC, 'frame-receive', device, `${etherType}`]);
  await process.says(/ready/);
  return async () => (await process.ends(5_000)).stdout;
}

/** Sends these datagrams as they are. */
export async function inject(from: Node, address: string, port: number, payloads: readonly Buffer[]) {
  const input = payloads.map((payload) => `${payload.toString('hex')}\n`).join('');
  await from.run([TRAFFIC, 'inject', address, `${port}`], { input });
}

/** What became of many connections; `again`: how many were opened in the place of some that were cut off. */
export interface Opened {
  connected: number;
  refused: number;
  again: number;
}

/**
 * Opens many TCP connections, from these addresses in turn, and holds them; what is cut off is opened again. Returns once each is connected,
 * refused or 10 s old.
 */
export async function openConnections(
  from: Node,
  address: string,
  port: number,
  count: number,
  sources: readonly string[] = [],
) {
  const process = from.start([TRAFFIC, 'connections', address, `${port}`, `${count}`, ...sources]);
  await process.says(/ready/, 30_000);
  return { close: async () => parse<Opened>(await process.stop()) };
}

/** The object that the program wrote at its end. */
export function parse<T>(result: Finished): T {
  if (result.code !== 0) throw new Error(`traffic: ${result.stderr}`);
  return JSON.parse(result.stdout) as T;
}

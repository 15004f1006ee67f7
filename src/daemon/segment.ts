import { lookup } from 'node:dns/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseHostPort } from '../address.js';
import type { Forwarder } from '../forwarder/index.js';
import { chooseMtu, ensureBridge, interfaceExists, plugTap, tapName } from '../hostnet/index.js';

const RESOLVE_TIMEOUT = 300;

/** Number of the segment that every router has. */
export const DEFAULT_NETWORK = 0;

export interface SegmentOptions {
  readonly bridge: string;
  /** Peer id of this router. */
  readonly owner: string;
  readonly mtu: number;
}

/** An Ethernet segment on this host: a bridge, and the forwarder's TAP in it. */
export class Segment {
  readonly #options: SegmentOptions;

  constructor(options: SegmentOptions) {
    this.#options = options;
  }

  /** Makes the bridge, or takes back the one of an earlier run. */
  async makeBridge(): Promise<void> {
    await ensureBridge(this.#options);
  }

  /** False when somebody removed the bridge. (A lost TAP is what the forwarder tells about.) */
  async hasBridge(): Promise<boolean> {
    return await interfaceExists(this.#options.bridge);
  }

  /** Has the forwarder serve the segment. The bridge must be there. */
  async open(forwarder: Forwarder): Promise<void> {
    const { bridge, mtu } = this.#options;
    await forwarder.openNetwork({ network: DEFAULT_NETWORK, name: tapName(bridge), mtu });
    await plugTap(this.#options);
  }
}

/** The MTU that fits this host's way to its targets. A name that does not resolve at once is left out. */
export async function mtuFor(targets: readonly string[]): Promise<number> {
  const resolved = await Promise.all(targets.map(resolve));
  return await chooseMtu(resolved.filter((address) => address !== undefined));
}

async function resolve(target: string): Promise<string | undefined> {
  const { kind, host } = parseHostPort(target);
  if (kind !== 'name') return host;
  const found = lookup(host).then(
    ({ address }) => address,
    () => undefined,
  );
  return await Promise.race([found, delay(RESOLVE_TIMEOUT, undefined, { ref: false })]);
}

import { isIP } from 'node:net';
import { systemCode, WeftError } from '../../errors.js';
import { withoutLength } from '../../net/index.js';
import type { PlatformAddresses } from '../../plugins/platform/index.js';
import { type AddressSource, type Holder, platformHolder } from '../addresses/index.js';

/** The addresses that a platform has taken. What it holds the ring knows: nothing of it is kept here. */
export class TakenAddresses implements PlatformAddresses {
  readonly #source: Pick<AddressSource, 'takeOne' | 'claim' | 'release' | 'held'>;
  readonly #holder: Holder;

  readonly #obstacle: () => string | null;

  constructor(
    platform: string,
    source: Pick<AddressSource, 'takeOne' | 'claim' | 'release' | 'held'>,
    obstacle: () => string | null,
  ) {
    this.#source = source;
    this.#obstacle = obstacle;
    this.#holder = platformHolder(platform);
  }

  async take(subnet: string): Promise<string> {
    return await withReason(this.#source.takeOne(this.#holder, subnet));
  }

  async claim(address: string): Promise<void> {
    const host = hostOf(address);
    if (this.held().includes(host)) return;
    await withReason(this.#source.claim(this.#holder, host));
  }

  async release(address: string): Promise<void> {
    await this.#source.release(this.#holder, [hostOf(address)]);
  }

  held(): readonly string[] {
    return this.#source.held(this.#holder).map(hostOf);
  }

  obstacle(): string | null {
    return this.#obstacle();
  }
}

/** Without prefix length, where it has one. */
function hostOf(address: string): string {
  const host = withoutLength(address);
  if (isIP(host) !== 0) return host;
  throw new WeftError('bad-cidr', `"${address}" is not an address, such as 10.32.0.1`);
}

/** That others did not answer is one more reason why there are no addresses now. */
async function withReason<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    if (!(error instanceof WeftError) || systemCode(error) !== 'not-in-time') throw error;
    throw new WeftError('no-addresses', error.message, { cause: error });
  }
}

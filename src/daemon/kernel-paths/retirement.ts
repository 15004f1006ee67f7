import * as hostnet from '../../hostnet/index.js';
import type { PeerId } from '../../identity/index.js';

/** How long what peers send by kernel paths is still taken, ms: they hear by the next key that the wire is trusted no longer. */
const NOTICE = 3_000;

export interface RetirementOptions {
  /** Peer id of this router. */
  readonly owner: PeerId;
  /** Of the default network. */
  readonly bridge: string;
  readonly onFailure: (error: unknown) => void;
}

/** The end of kernel paths that an earlier run left, of a router that leaves nothing to the kernel any more. */
export class Retirement {
  readonly #options: RetirementOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RetirementOptions) {
    this.#options = options;
  }

  /** Sends nothing this way from now on, and takes nothing a few seconds later. */
  async begin(): Promise<void> {
    const { owner, onFailure } = this.#options;
    const left = await hostnet.vxlansOf(owner);
    for (const name of left) await hostnet.releaseStations(name);
    if (left.length > 0) this.#timer = setTimeout(() => void this.end().catch(onFailure), NOTICE);
  }

  /** Removes what is left, if there is anything. */
  async end(): Promise<void> {
    const { owner, bridge } = this.#options;
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const name of await hostnet.vxlansOf(owner)) await hostnet.removeLink(name);
    await new hostnet.VxlanGuard(bridge).drop();
  }
}

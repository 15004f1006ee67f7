import type { Firewall, LinkStates } from '../../hostnet/index.js';
import { setHairpin, sysctl } from '../../hostnet/index.js';
import { Serial } from '../../order.js';
import type { ContainerPort } from '../attachments/index.js';

/** Time for which changes are gathered, in milliseconds: all ports are looked at each time, and whoever starts containers starts several. */
const GATHERING = 250;

export interface HairpinsOptions {
  readonly firewall: Pick<Firewall, 'guardHairpins'>;
  readonly ports: () => readonly ContainerPort[];
  /** Whether what goes to containers of this network by an address of the host gets the host's address. */
  readonly isMasqueraded: (network: string) => boolean;
  readonly links: () => Promise<LinkStates>;
  readonly onFailure: (error: unknown) => void;
}

/**
 * The way of a container to itself by an address of the host (a published port). Where the kernel hands bridged frames to the packet
 * filter (br_netfilter), the frame is led back inside the bridge to the port that it came by, and lost there unless the port is in
 * hairpin mode; elsewhere it is routed, and needs nothing. Whether frames are handed over can change at any time, so that the module counts.
 */
export class Hairpins {
  readonly #options: HairpinsOptions;
  readonly #work = new Serial();
  #isDue = false;
  /** There may be ports in hairpin mode: an earlier run may have left some. */
  #isInUse = true;
  #hasFailed = false;
  #gathering: NodeJS.Timeout | undefined;

  constructor(options: HairpinsOptions) {
    this.#options = options;
  }

  /** Something has changed. */
  changed(): void {
    this.#gathering ??= setTimeout(() => void this.settle(), GATHERING);
  }

  /** Brings ports and rules to what they should be. Asked again before it has begun, it is done once. */
  settle(): Promise<void> {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (this.#isDue) return Promise.resolve();
    this.#isDue = true;
    return this.#work
      .run(() => this.#settle())
      .then(
        () => {
          this.#hasFailed = false;
        },
        (error: unknown) => {
          if (!this.#hasFailed) this.#options.onFailure(error);
          this.#hasFailed = true;
        },
      );
  }

  /** Nothing is changed any more. */
  async stop(): Promise<void> {
    clearTimeout(this.#gathering);
    this.#isDue = true;
    await this.#work.run(async () => {});
  }

  /** The rules are there before the mode, and go after it. */
  async #settle(): Promise<void> {
    this.#isDue = false;
    const { firewall, ports, isMasqueraded, links } = this.#options;
    const isFiltering = (await sysctl('net/bridge/bridge-nf-call-iptables')) !== undefined;
    const all = ports();
    const wanted = isFiltering ? all.filter(({ network }) => isMasqueraded(network)) : [];
    if (wanted.length === 0 && !this.#isInUse) return;
    const names = new Set(wanted.map(({ port }) => port));
    const found = await links();
    const here = all.map(({ port }) => port).filter((port) => found.of(port)?.master !== undefined);
    const differing = here.filter((port) => found.of(port)?.isHairpin !== names.has(port));
    await setHairpin(
      differing.filter((port) => !names.has(port)),
      false,
    );
    await firewall.guardHairpins(wanted);
    await setHairpin(
      differing.filter((port) => names.has(port)),
      true,
    );
    this.#isInUse = wanted.length > 0;
  }
}

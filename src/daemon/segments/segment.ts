import { bridgeFlaw, type LinkStates, portFlaw, tapName } from '../../hostnet/index.js';
import { allEnded } from '../../order.js';
import { type Fault, faultOf } from '../repairs/index.js';
import type { SegmentForwarder, SegmentPlumbing } from './plumbing.js';

export interface SegmentOptions {
  /** Of the network: 0 is the one that every router has. */
  readonly number: number;
  readonly bridge: string;
  /** Peer id of this router. */
  readonly owner: string;
  readonly mtu: number;
  readonly host: SegmentPlumbing;
}

export interface FaultOptions {
  /** The forwarder has no TAP, whatever there is under its name. */
  readonly isTapLost: boolean;
  readonly onMade: () => void;
}

/** An Ethernet segment on this host: a bridge, and the forwarder's TAP in it. */
export class Segment {
  readonly #options: SegmentOptions;

  constructor(options: SegmentOptions) {
    this.#options = options;
  }

  get number(): number {
    return this.#options.number;
  }

  get bridge(): string {
    return this.#options.bridge;
  }

  /** Makes the bridge, or takes back the one of an earlier run. */
  async makeBridge(): Promise<void> {
    await this.#options.host.ensureBridge(this.#options);
  }

  /** Has the forwarder serve the segment. The bridge must be there. */
  async open(forwarder: SegmentForwarder): Promise<void> {
    const { number, bridge, mtu } = this.#options;
    const opened = forwarder.openNetwork({ network: number, name: tapName(bridge), mtu });
    await allEnded([opened, forwarder.limitLearning(bridge)]);
    await this.#options.host.plugTap(this.#options);
  }

  /** What somebody did to the bridge and to the TAP. `onMade` is called when what is plugged into the bridge may have suffered, too. */
  faults(links: LinkStates, forwarder: SegmentForwarder, { isTapLost, onMade }: FaultOptions): Fault[] {
    const { bridge, mtu } = this.#options;
    const make = async () => {
      await this.makeBridge();
      if (forwarder.connected) await this.open(forwarder);
      onMade();
    };
    const faults: Fault[] = [];
    const flaw = bridgeFlaw(this.#options, links.of(bridge));
    if (flaw !== undefined) faults.push(faultOf(`the bridge ${bridge} is ${flaw}`, make));
    // With its bridge it is made anew, and without the forwarder it is nobody's.
    if (flaw === 'gone' || !forwarder.connected) return faults;
    const tap = tapName(bridge);
    const state = isTapLost ? undefined : links.of(tap);
    if (state === undefined) return [...faults, faultOf(`the TAP device ${tap} is gone`, make)];
    const tapFlaw = portFlaw(state, { bridge, mtu, isIsolated: true });
    if (tapFlaw === undefined) return faults;
    return [
      ...faults,
      faultOf(`the TAP device ${tap} is ${tapFlaw}`, () => this.#options.host.plugTap(this.#options)),
    ];
  }

  /** Takes everything down; containers lose their interfaces. */
  async remove(forwarder: SegmentForwarder): Promise<void> {
    await forwarder.closeNetwork(this.#options.number);
    const { bridge, owner, host } = this.#options;
    await host.removeBridge(bridge, owner);
  }
}

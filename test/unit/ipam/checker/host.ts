import type { PeerId } from '../../../../src/identity/index.js';
import type { AddressRing } from '../../../../src/ipam/address-ring.js';
import { emptyState, type RingState } from '../../../../src/ipam/ownership/state.js';
import type { Block } from '../../../../src/ipam/ring/range.js';
import type { RecordSigner } from '../../../../src/ipam/ring/records.js';
import type { Arc } from '../../../../src/ipam/ring/ring.js';
import { trustingSigner } from '../rings.js';

/**
 * `stopped`: the router was killed, the containers go on, and it is started again soon. `dead`: the host is
 * down. `expelled`: a liar that was found out, to which nobody listens any more.
 */
export type HostState = 'up' | 'stopped' | 'dead' | 'left' | 'expelled';

export class Host {
  readonly name: string;
  readonly peer: PeerId;
  readonly signer: RecordSigner;
  state: HostState = 'dead';
  /** Whether this router says what is not true, beside what its state machine says. */
  isLiar = false;
  run = 0;
  ring: AddressRing | undefined;
  disk: RingState;
  /** The state that is being written to the disk. */
  writing: RingState | undefined;
  /**
   * Whether the state on the disk was written since the host was last down, so that the freshness marker of
   * `RingFiles` matches it: only then does a router that starts go on in its incarnation. A router that is
   * killed before its first write after a boot, perhaps with an older disk, owns nothing by that disk, and
   * begins another incarnation the next time, too.
   */
  isFresh = false;
  readonly backups: RingState[] = [];
  /** Milliseconds by which the host's clock is fast. */
  readonly skew: number;
  /** Hosts of the same group reach each other. */
  group = 0;
  /** The addresses of containers, with their owners. */
  readonly used = new Map<number, string>();
  /** Addresses that were given out a moment ago. */
  readonly given: number[] = [];
  /** The owners of requests that wait, by id. */
  readonly waiting = new Map<number, string>();
  /** The host that removed this one, or that took over what it had when it left. */
  successor: Host | undefined;
  /** The arcs that may be handed out by the state on the disk. */
  owned: readonly Arc[] = [];
  #owner = 0;

  constructor(index: number, peer: PeerId, range: Block, skew: number) {
    this.skew = skew;
    this.name = `h${index}`;
    this.peer = peer;
    this.disk = emptyState(range);
    this.signer = trustingSigner(peer);
  }

  nextOwner(): string {
    this.#owner++;
    return `${this.name}.${this.#owner}`;
  }
}

/** Stands for the owner of the request to leave. */
export const LEAVING = 'leaving';

/** Whether packets pass from one host to another. */
export function reaches(from: Host, to: Host): boolean {
  return from !== to && to.state === 'up' && from.group === to.group;
}

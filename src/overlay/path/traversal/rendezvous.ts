import type { Clock } from '../../../clock.js';
import type { PeerId } from '../../../identity/index.js';
import type { DataPlanePeerState, OverlayMesh } from '../../port/index.js';
import { encodePathMessage, PATH_CHANNEL, type PathMessage, PUNCH, PUNCHING } from '../messages.js';
import type { RelayOption } from '../relays.js';
import { Puncher } from './puncher.js';
import type { Streams } from './streams.js';

/** What there is besides a direct path. */
export interface OtherPaths {
  /** Neighbours that could relay to this peer. */
  relays(peer: PeerId): readonly RelayOption[];
  /** What TCP to this peer would cost. */
  streamCost(peer: PeerId): number;
  /** Asks the data plane how its links are, and decides again. */
  look(): void;
}

export interface RendezvousOptions {
  readonly self: PeerId;
  readonly mesh: OverlayMesh;
  readonly clock: Clock;
  readonly paths: OtherPaths;
  readonly streams: Streams;
  /** The data plane is there to be told. */
  readonly isReady: () => boolean;
  /** Control messages get to this peer now. */
  readonly isReachable: (peer: PeerId) => boolean;
  /** Has the data plane probe this peer at all its addresses; with `endpoints`, those are its addresses from now on. */
  readonly punch: (peer: PeerId, endpoints?: readonly string[]) => void;
}

/**
 * Two routers help each other to a path: they agree when to probe each other, so that NATs on both sides let it through, and connect over
 * TCP where no probe passes (docs/protocol.md 7.2).
 */
export class Rendezvous {
  readonly #options: RendezvousOptions;
  readonly #puncher = new Puncher();
  #cancelLook = () => {};

  constructor(options: RendezvousOptions) {
    this.#options = options;
  }

  /** The data plane is gone: nothing is to be done until it is ready again. */
  pause(): void {
    this.#options.streams.reset();
    this.#cancelLook();
  }

  forget(peer: PeerId): void {
    this.#options.streams.forget(peer);
    this.#puncher.forget(peer);
  }

  /** Does what helps those of these peers that do not answer directly. */
  consider(states: readonly DataPlanePeerState[]): void {
    const { paths, clock, isReachable } = this.#options;
    const now = clock.now();
    let next = Infinity;
    for (const state of states) {
      if (isReachable(state.peer) && state.keys.length > 0) next = Math.min(next, this.#help(state, now));
    }
    this.#cancelLook();
    if (next !== Infinity) this.#cancelLook = clock.after(Math.max(0, next - now), () => paths.look());
  }

  /** Takes a message of the kinds PUNCH and PUNCHING: the peer probes us now; so do we, at the addresses that it has now. */
  receive(peer: PeerId, { kind, endpoints }: PathMessage): void {
    const { punch, isReady } = this.#options;
    punch(peer, endpoints);
    if (isReady() && kind === PUNCH) this.#send(peer, PUNCHING);
  }

  /** Returns when to look again. */
  #help(state: DataPlanePeerState, now: number): number {
    const { paths, streams } = this.#options;
    const { peer, via, up, transport, direct } = state;
    const onTcp = via === null && transport === 'tcp';
    if (onTcp) streams.found(peer, true);
    const udp = direct && !onTcp;
    const relay = via === null || !up ? undefined : paths.relays(peer).find((each) => each.relay === via);
    const relayed = relay !== undefined && relay.cost < paths.streamCost(peer);
    const streamAt = streams.consider(peer, { udp, relayed }, now);
    const addresses = [...state.candidates.map(({ endpoint }) => endpoint), state.observed].join();
    const { punch, again } = this.#puncher.next(peer, udp, addresses, now);
    if (punch) {
      this.#options.punch(peer);
      this.#send(peer, PUNCH);
    }
    return Math.min(streamAt, again);
  }

  #send(peer: PeerId, kind: number): void {
    const { mesh, self } = this.#options;
    const endpoints = mesh.member(self)?.endpoints ?? [];
    mesh.send(peer, PATH_CHANNEL, encodePathMessage(kind, 0, { endpoints }));
  }
}

import type { Clock } from '../../clock.js';
import { decodeExact } from '../../codec.js';
import { WeftError } from '../../errors.js';
import type { PeerId } from '../../identity/index.js';
import type { DataPlanePeerState, OverlayMesh } from '../port/index.js';
import {
  CONNECTED,
  encodePathMessage,
  MAY_CONNECT,
  NEXT_HOP,
  PATH_CHANNEL,
  type PathMessage,
  PUNCH,
  PUNCHING,
  pathMessage,
  TICKET,
  WHICH_HOP,
} from './messages.js';
import type { Paths } from './paths.js';
import { Puncher } from './puncher.js';
import type { Streams } from './streams.js';
import type { Tracer } from './tracer.js';

export interface RendezvousOptions {
  readonly self: PeerId;
  readonly mesh: OverlayMesh;
  readonly clock: Clock;
  readonly paths: Paths;
  readonly streams: Streams;
  readonly tracer: Tracer;
  /** The data plane is there to be told. */
  readonly isReady: () => boolean;
  /** Control messages get to this peer now. */
  readonly isReachable: (peer: PeerId) => boolean;
  /** Has the data plane probe this peer at all its addresses; with `endpoints`, those are its addresses from now on. */
  readonly punch: (peer: PeerId, endpoints?: readonly string[]) => void;
  readonly onFailure: (error: WeftError, peer: PeerId) => void;
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

  /** Takes a message of the channel `path`. */
  receive(peer: PeerId, bytes: Buffer): void {
    try {
      this.#receive(peer, bytes);
    } catch (error) {
      if (!(error instanceof WeftError)) throw error;
      this.#options.onFailure(error, peer);
    }
  }

  #receive(peer: PeerId, bytes: Buffer): void {
    const { tracer, streams, isReady } = this.#options;
    const message = decodeExact(pathMessage, bytes);
    switch (message.kind) {
      case PUNCH:
      case PUNCHING:
        this.#onPunch(peer, message);
        break;
      case WHICH_HOP:
        tracer.answer(peer, message);
        break;
      case NEXT_HOP:
        tracer.receive(message);
        break;
      case MAY_CONNECT:
      case TICKET:
      case CONNECTED:
        if (isReady()) streams.receive(peer, message);
        break;
      default:
        throw new WeftError('bad-message', `there is no path message of kind ${message.kind}`);
    }
  }

  /** The peer probes us now; so do we, at the addresses that it has now. */
  #onPunch(peer: PeerId, { kind, endpoints }: PathMessage): void {
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

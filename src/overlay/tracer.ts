import { type PeerId, peerIdBytes, peerIdFromBytes } from '../identity/index.js';
import type { DataPlane, DataPlaneEvents } from './data-plane.js';
import { encodePathMessage, NEXT_HOP, PATH_CHANNEL, type PathMessage, WHICH_HOP } from './path-messages.js';
import type { OverlayMesh } from './types.js';

/** How long an answer may take, in milliseconds. */
const PATIENCE = 1_000;
/** As many hops as a relayed packet may make. */
const MAX_HOPS = 16;

export interface Hop {
  readonly peer: PeerId;
  /** From here to there and back over the overlay, in microseconds; null when nothing came back. */
  readonly rtt: number | null;
}

export interface TracerOptions {
  readonly mesh: OverlayMesh;
  readonly dataPlane: DataPlane;
  /** The relay for a peer's packets, or null. */
  readonly via: (peer: PeerId) => PeerId | null;
}

/** Measures the way to a peer with packets that take it, and asks those on it where it goes on. */
export class Tracer {
  readonly #options: TracerOptions;
  readonly #questions = new Map<number, (answer: PathMessage) => void>();
  #nextId = 1;

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  /** One probe to the peer and back, in microseconds; null when it was not answered within a second. Rejects without a data plane. */
  async ping(peer: PeerId): Promise<number | null> {
    const { dataPlane } = this.#options;
    const answered = new Map<number, number>();
    let arrived = () => {};
    const onProbed = ({ peer: from, id, rtt }: DataPlaneEvents['probed'][0]) => {
      if (from !== peer) return;
      answered.set(id, rtt);
      arrived();
    };
    // The answer may be there before we know which it is.
    dataPlane.on('probed', onProbed);
    try {
      const id = await dataPlane.probe(peer);
      return await new Promise((resolve) => {
        const timer = setTimeout(() => resolve(null), PATIENCE);
        arrived = () => {
          const rtt = answered.get(id);
          if (rtt === undefined) return;
          clearTimeout(timer);
          resolve(rtt);
        };
        arrived();
      });
    } finally {
      dataPlane.off('probed', onProbed);
    }
  }

  /** The hops to a peer, the peer itself last. Ends early where nobody knows how it goes on. */
  async trace(destination: PeerId): Promise<readonly Hop[]> {
    const way: PeerId[] = [];
    let next: PeerId | undefined = this.#options.via(destination) ?? destination;
    while (next !== undefined && way.length < MAX_HOPS && !way.includes(next)) {
      way.push(next);
      next = next === destination ? undefined : await this.#nextHop(next, destination);
    }
    return await Promise.all(way.map(async (peer) => ({ peer, rtt: await this.ping(peer) })));
  }

  /** Takes the answer to a question of ours. */
  receive(message: PathMessage): void {
    this.#questions.get(message.id)?.(message);
  }

  /** Answers a question of another router. */
  answer(from: PeerId, { id, peer: [about] }: PathMessage): void {
    if (about === undefined) return;
    const destination = peerIdFromBytes(about);
    const next = this.#options.via(destination) ?? destination;
    this.#send(from, NEXT_HOP, id, next);
  }

  #nextHop(relay: PeerId, destination: PeerId): Promise<PeerId | undefined> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const done = (peer: PeerId | undefined) => {
        clearTimeout(timer);
        this.#questions.delete(id);
        resolve(peer);
      };
      const timer = setTimeout(() => done(undefined), PATIENCE);
      this.#questions.set(id, ({ peer: [next] }) => done(next && peerIdFromBytes(next)));
      this.#send(relay, WHICH_HOP, id, destination);
    });
  }

  #send(to: PeerId, kind: number, id: number, peer: PeerId): void {
    const message = encodePathMessage(kind, id, { peer: [peerIdBytes(peer)] });
    this.#options.mesh.send(to, PATH_CHANNEL, message);
  }
}

import type { Clock } from '../../clock.js';
import { type PeerId, peerIdBytes, peerIdFromBytes } from '../../identity/index.js';
import type { DataPlane, DataPlaneEvents, OverlayMesh } from '../port/index.js';
import { encodePathMessage, NEXT_HOP, PATH_CHANNEL, type PathMessage, WHICH_HOP } from './messages.js';
import { newQuestionId, Questions } from './questions.js';

/** Timeout of an answer, in milliseconds. */
const PATIENCE = 1_000;
/** Maximum number of hops, as of a relayed packet. */
const MAX_HOPS = 16;

export interface Hop {
  readonly peer: PeerId;
  /** From here to there and back over the overlay, in microseconds; null when nothing came back. */
  readonly rtt: number | null;
}

export interface TracerOptions {
  readonly mesh: OverlayMesh;
  readonly dataPlane: DataPlane;
  readonly clock: Clock;
  /** The relay for a peer's packets, or null. */
  readonly nextHop: (peer: PeerId) => PeerId | null;
}

/** Measures the path to a peer with packets that take it, and asks the routers on it for their next hop. */
export class Tracer {
  readonly #options: TracerOptions;
  readonly #questions = new Questions();

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  /**
   * One probe to the peer and back, in microseconds; null when it was not answered within a second. It goes there as large as a full packet of
   * containers with that MTU, or small. Rejects without a data plane.
   */
  async ping(peer: PeerId, mtu?: number): Promise<number | null> {
    const { dataPlane, clock } = this.#options;
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
      const id = await dataPlane.probe(peer, mtu);
      return await new Promise((resolve) => {
        const cancel = clock.after(PATIENCE, () => resolve(null));
        arrived = () => {
          const rtt = answered.get(id);
          if (rtt === undefined) return;
          cancel();
          resolve(rtt);
        };
        arrived();
      });
    } finally {
      dataPlane.off('probed', onProbed);
    }
  }

  /** The hops to a peer, the peer itself last. Ends early at a router that does not tell its next hop. */
  async trace(destination: PeerId): Promise<readonly Hop[]> {
    const hops: PeerId[] = [];
    let next: PeerId | undefined = this.#options.nextHop(destination) ?? destination;
    while (next !== undefined && hops.length < MAX_HOPS && !hops.includes(next)) {
      hops.push(next);
      next = next === destination ? undefined : await this.#nextHop(next, destination);
    }
    return await Promise.all(hops.map(async (peer) => ({ peer, rtt: await this.ping(peer) })));
  }

  /** Takes the answer to a question of ours. */
  receive(from: PeerId, message: PathMessage): void {
    this.#questions.receive(from, message);
  }

  /** Answers a question of another router. */
  answer(from: PeerId, { id, peer: [about] }: PathMessage): void {
    if (about === undefined) return;
    const destination = peerIdFromBytes(about);
    const next = this.#options.nextHop(destination) ?? destination;
    this.#send(from, NEXT_HOP, id, next);
  }

  #nextHop(relay: PeerId, destination: PeerId): Promise<PeerId | undefined> {
    const id = newQuestionId();
    return new Promise((resolve) => {
      const done = (peer: PeerId | undefined) => {
        cancel();
        close();
        resolve(peer);
      };
      const cancel = this.#options.clock.after(PATIENCE, () => done(undefined));
      const close = this.#questions.wait(relay, id, ({ peer: [next] }) =>
        done(next && peerIdFromBytes(next)),
      );
      this.#send(relay, WHICH_HOP, id, destination);
    });
  }

  #send(to: PeerId, kind: number, id: number, peer: PeerId): void {
    const message = encodePathMessage(kind, id, { peer: [peerIdBytes(peer)] });
    this.#options.mesh.send(to, PATH_CHANNEL, message);
  }
}

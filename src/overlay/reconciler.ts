import { WeftError } from '../errors.js';
import type { PeerId } from '../identity/index.js';
import { SerialByKey } from '../order.js';
import type { DataPlane, DataPlaneDump, DataPlaneInfo, DataPlanePeerState } from './port/index.js';

export interface ReconcilerOptions {
  readonly dataPlane: DataPlane;
  /** Brings what the data plane has to what it should have. It may be ours, of an earlier process of ours, or empty. */
  readonly reconcile: (info: DataPlaneInfo, dump: DataPlaneDump) => void;
  readonly onFailure: (error: WeftError, peer?: PeerId) => void;
}

/**
 * Keeps what the data plane is told in step with the data plane that is there. Each connection to it is a generation: answers to
 * questions of an earlier generation, and work that was meant for it, are void.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  #ready = false;
  #generation = 0;
  /** By peer, so that what is told about one keeps its order, also when the peer is forgotten and comes back meanwhile. */
  readonly #queues = new SerialByKey();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** The data plane is connected and its state is known. */
  get ready(): boolean {
    return this.#ready;
  }

  /** The data plane is connected (again): asks what it has, and reconciles. */
  async connected(): Promise<void> {
    this.#generation += 1;
    const generation = this.#generation;
    const { dataPlane, reconcile, onFailure } = this.#options;
    try {
      const [info, dump] = [await dataPlane.hello(), await dataPlane.dump()];
      if (generation !== this.#generation) return;
      this.#ready = true;
      reconcile(info, dump);
    } catch (error) {
      if (generation === this.#generation) onFailure(asDataPlaneError(error));
    }
  }

  /** The data plane is gone. */
  lost(): void {
    this.#generation += 1;
    this.#ready = false;
  }

  /** Queues what the data plane is to be told about a peer. A failure means that it is gone, or that it refused. */
  tell(peer: PeerId, task: (dataPlane: DataPlane) => Promise<void>): void {
    const { dataPlane, onFailure } = this.#options;
    const generation = this.#generation;
    void this.#queues.run(peer, async () => {
      if (generation !== this.#generation) return;
      try {
        await task(dataPlane);
      } catch (error) {
        if (generation === this.#generation) onFailure(asDataPlaneError(error), peer);
      }
    });
  }

  /** What the data plane says of each peer now; undefined when it is not there to be asked. */
  async states(): Promise<ReadonlyMap<PeerId, DataPlanePeerState> | undefined> {
    if (!this.#ready) return undefined;
    const dump = await this.#options.dataPlane.dump().catch(() => undefined);
    return dump && new Map(dump.peers.map((state) => [state.peer, state]));
  }
}

function asDataPlaneError(error: unknown): WeftError {
  if (error instanceof WeftError) return error;
  return new WeftError('data-plane-failed', `the data plane failed: ${String(error)}`, { cause: error });
}

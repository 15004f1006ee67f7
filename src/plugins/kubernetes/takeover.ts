import { messageOf, systemCode } from '../../errors.js';
import type { KubernetesHost } from './host.js';
import type { ClusterNode } from './nodes.js';
import { type GoneRouter, type KnownRouter, RemovedNodes } from './removed-nodes.js';

/** Before a removal that failed is tried again, in milliseconds. */
const PAUSE = 30_000;

export interface TakeoverOptions {
  /** Milliseconds since some moment; never goes back. */
  readonly now: () => number;
  /** Other routers are known than before. */
  readonly onNews: () => void;
  readonly onNotice: (what: string) => void;
  readonly onTrouble: (what: string) => void;
}

/** Takes over what routers owned whose Nodes were removed, where it is this router's turn. */
export class Takeover {
  readonly #options: TakeoverOptions;
  #nodes = new RemovedNodes();
  /** Why a router cannot be removed, and when that was tried, by its id. */
  readonly #refusals = new Map<string, { readonly why: string; readonly at: number }>();

  constructor(options: TakeoverOptions) {
    this.#options = options;
  }

  /** What an earlier run knew. */
  restore(known: readonly KnownRouter[]): void {
    this.#nodes = new RemovedNodes(known);
  }

  get known(): readonly KnownRouter[] {
    return this.#nodes.known;
  }

  get gone(): readonly GoneRouter[] {
    return this.#nodes.gone;
  }

  faults(): string[] {
    return [...this.#refusals.values()].map(({ why }) => why);
  }

  /** These are all Nodes now. */
  see(nodes: readonly ClusterNode[]): void {
    if (this.#nodes.see(nodes, this.#options.now())) this.#options.onNews();
  }

  async check(host: KubernetesHost): Promise<void> {
    const { now } = this.#options;
    for (const { peer } of this.#nodes.gone) if (!host.remembers(peer)) this.#forget(peer);
    const gone = new Set(this.#nodes.gone.map(({ peer }) => peer));
    for (const peer of this.#refusals.keys()) if (!gone.has(peer)) this.#refusals.delete(peer);
    for (const router of this.#nodes.due(host.peer, host.alive(), now())) {
      const refused = this.#refusals.get(router.peer);
      if (refused === undefined || now() - refused.at >= PAUSE) await this.#remove(host, router);
    }
  }

  async #remove(host: KubernetesHost, { peer, node }: GoneRouter): Promise<void> {
    const { onNotice, onTrouble, now } = this.#options;
    try {
      await host.remove(peer);
      onNotice(`the node ${node} is gone: this router takes over what its router ${peer} owned`);
      this.#forget(peer);
    } catch (error) {
      if (systemCode(error) === 'removed-already') return this.#forget(peer);
      const why = `the node ${node} is gone, and its router ${peer} cannot be removed: ${messageOf(error)}`;
      if (!this.#refusals.has(peer)) onTrouble(why);
      this.#refusals.set(peer, { why, at: now() });
    }
  }

  #forget(peer: string): void {
    this.#nodes.forget(peer);
    this.#refusals.delete(peer);
    this.#options.onNews();
  }
}

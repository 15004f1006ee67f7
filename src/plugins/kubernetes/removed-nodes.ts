import { createHash } from 'node:crypto';
import type { ClusterNode } from './nodes.js';

/** A Node may be made anew, and its router be about to note itself there, for so long after it is gone, in milliseconds. */
export const GRACE = 20_000;
/** So long the next router waits for the one before to take over, in milliseconds. */
export const TURN = 30_000;
/** More routers are not remembered. */
const MOST = 20_000;

/** A router that is, or was, on a Node. */
export interface KnownRouter {
  readonly peer: string;
  /** Name of the Node. */
  readonly node: string;
}

export interface GoneRouter extends KnownRouter {
  /** When it was first seen that no Node carries it any more, as given to `see`. */
  readonly since: number;
}

/**
 * Which routers went with their Nodes, and whose turn it is to take over what they owned. Pure: knows what it was told. A router counts that some Node
 * carried, and none does any more: one that never was on a Node is none of our business.
 */
export class RemovedNodes {
  readonly #known = new Map<string, KnownRouter>();
  readonly #gone = new Map<string, number>();

  /** What an earlier run knew. */
  constructor(known: readonly KnownRouter[] = []) {
    for (const router of known) this.#known.set(router.peer, router);
  }

  get known(): readonly KnownRouter[] {
    return [...this.#known.values()];
  }

  get gone(): readonly GoneRouter[] {
    return [...this.#gone].flatMap(([peer, since]) => {
      const router = this.#known.get(peer);
      return router === undefined ? [] : [{ ...router, since }];
    });
  }

  /** These are all Nodes at this moment. That there are none is no news of anybody: an API server that lost its memory says so. True when other routers are known. */
  see(nodes: readonly ClusterNode[], now: number): boolean {
    if (nodes.length === 0) return false;
    const carried = new Map(nodes.flatMap(({ peer, name }) => (peer === undefined ? [] : [[peer, name]])));
    let isNews = false;
    for (const [peer, node] of carried) {
      this.#gone.delete(peer);
      if (this.#known.get(peer)?.node === node || this.#known.size >= MOST) continue;
      this.#known.set(peer, { peer, node });
      isNews = true;
    }
    for (const peer of this.#known.keys()) {
      if (!carried.has(peer) && !this.#gone.has(peer)) this.#gone.set(peer, now);
    }
    return isNews;
  }

  /**
   * What this router is to take over now. A router that works is not gone yet, whatever became of its Node. Of each that went, all others order themselves in
   * the same way, another one for each: the first takes over after the time of grace, the next if it is still to be done a while later.
   */
  due(self: string, alive: readonly string[], now: number): readonly GoneRouter[] {
    for (const peer of alive) if (this.#gone.has(peer)) this.#gone.set(peer, now);
    const present = alive.filter((peer) => this.#known.has(peer) && !this.#gone.has(peer));
    if (!present.includes(self)) return [];
    return this.gone.filter(({ peer, since }) => {
      const waited = now - since - GRACE;
      return waited >= 0 && waited >= rankOf(self, present, peer) * TURN;
    });
  }

  /** Nothing is left to do for it. */
  forget(peer: string): void {
    this.#known.delete(peer);
    this.#gone.delete(peer);
  }
}

/** How many come before one, by rendezvous hashing: who is first depends on whom it is about, so that no router is heir to all. */
function rankOf(self: string, peers: readonly string[], gone: string): number {
  const weight = (peer: string) => createHash('sha256').update(`${gone} ${peer}`).digest('hex');
  const own = weight(self);
  return peers.filter((peer) => weight(peer) < own).length;
}

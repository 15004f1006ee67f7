import type { PeerId } from '../identity/index.js';

/**
 * Replicated data that all routers are to have, of any room: members, addresses, names, endpoints. The mesh, which carries it, does not
 * read it.
 *
 * The data must be a delta-state CRDT: merging is commutative, associative and idempotent, so that deltas may be lost, repeated and
 * reordered, and an exchange of digests repairs what was lost. A channel trusts no neighbour: what it merges is signed by its owner.
 * test/unit/gossip/compliance.ts says in tests what every channel must do.
 */
export interface GossipChannel {
  /** At most 32 bytes, the same on every router. */
  readonly name: string;
  /** What changed here since the last call, in messages of at most `MAX_GOSSIP_BYTES`; empty when nothing did. */
  takeDeltas(): readonly Uint8Array[];
  /**
   * Merges a delta that a neighbour sent and gives back what of it was news, to be relayed, or null.
   * Throws `bad-message` or another WeftError when it refuses the delta; the channel is then as before.
   */
  merge(delta: Uint8Array, from: PeerId): Uint8Array | null;
  /** A small summary of all that is known here, which is sent to a random neighbour again and again. */
  digest(): Uint8Array;
  /** Deltas with all that the sender of this digest lacks; empty when it lacks nothing. Throws `bad-message`. */
  answer(digest: Uint8Array): readonly Uint8Array[];
  /**
   * For channels whose digests come in steps, from coarse to fine: the digest that answers this one, or null when it ends the exchange.
   * Without this method, a digest that differs from the own one is answered with the own one. Throws `bad-message`.
   */
  refine?(digest: Uint8Array): Uint8Array | null;
}

/** The router's end of a channel that was opened with `Mesh.openChannel`. */
export interface OpenChannel {
  /** There are deltas to take. They are collected for a moment (100 ms) before they are pushed. */
  changed(): void;
  /** The mesh carries the channel no longer. */
  close(): void;
}

/** Maximum length of a delta or a digest, in bytes. */
export const MAX_GOSSIP_BYTES = 256 * 1024;

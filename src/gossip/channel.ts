import type { PeerId } from '../identity/index.js';

/**
 * Replicated data that the mesh carries for another room: addresses, names, endpoints. To the mesh it is opaque.
 *
 * The data must be a CRDT: merging is commutative, associative and idempotent, so that deltas may be lost, repeated and reordered, and an
 * exchange of digests repairs what was lost. A channel trusts no neighbour: what it merges is signed by its owner.
 */
export interface GossipChannel {
  /** Of at most 32 bytes, the same on every router. */
  readonly name: string;
  /** What changed here since the last call, in messages of at most `MAX_GOSSIP_BYTES`; empty when nothing did. */
  takeDeltas(): readonly Uint8Array[];
  /**
   * Takes in a delta that a neighbour sent and gives back what of it was news, to be passed on, or null.
   * Throws `bad-message` or another WeftError when it is refused; the channel is then as before.
   */
  merge(delta: Uint8Array, from: PeerId): Uint8Array | null;
  /** A summary of all that is known here, small: it is sent to a random neighbour again and again. */
  digest(): Uint8Array;
  /** Deltas with what whoever has this digest lacks; empty when nothing. Throws `bad-message`. */
  answer(digest: Uint8Array): readonly Uint8Array[];
  /**
   * For channels whose digests are sent in steps, from coarse to fine: the digest to answer this one with, or null when there is no more to
   * ask or tell. Without this method, a digest that differs from one's own is answered with one's own. Throws `bad-message`.
   */
  refine?(digest: Uint8Array): Uint8Array | null;
}

/** The router's end of a channel that was opened with `Mesh.openChannel`. */
export interface OpenChannel {
  /** There are deltas to take. They are collected for a moment (100 ms) before they are sent. */
  changed(): void;
  /** The mesh carries the channel no longer. */
  close(): void;
}

/** So many bytes may a delta or a digest have. */
export const MAX_GOSSIP_BYTES = 256 * 1024;

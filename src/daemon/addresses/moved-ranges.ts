import type { PeerId } from '../../identity/index.js';
import type { Move } from '../../ipam/index.js';

/** Addresses that came to this router from another one, or went to it. */
export interface MovedRanges {
  /** Null: they were nobody's. */
  readonly peer: PeerId | null;
  readonly isReceived: boolean;
  readonly moves: readonly Move[];
}

/** The moves, by whom they are shared with. */
export function movedRanges(self: PeerId, moves: readonly Move[]): MovedRanges[] {
  const groups = new Map<string, MovedRanges & { readonly moves: Move[] }>();
  for (const move of moves) {
    const isReceived = move.to === self;
    const peer = (isReceived ? move.from : move.to) ?? null;
    const key = `${peer} ${isReceived}`;
    const group = groups.get(key) ?? { peer, isReceived, moves: [] };
    group.moves.push(move);
    groups.set(key, group);
  }
  return [...groups.values()];
}

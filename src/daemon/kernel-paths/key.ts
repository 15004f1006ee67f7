import type { PeerId } from '../../identity/index.js';

/** The path to a peer on a network. */
export interface PathId {
  readonly network: number;
  readonly peer: PeerId;
}

/** One key for a path. */
export function keyOf(network: number, peer: string): string {
  return `${network} ${peer}`;
}

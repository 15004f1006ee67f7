import { type PathWord, pathWord } from '../../events/index.js';
import type { Connection, Peer } from '../schemas.js';

/** The ways in which packets may reach a peer, called as events call them. */
export const PEER_PATHS: readonly PathWord[] = ['direct', 'relay', 'tcp', 'plain', 'kernel', 'none'];

export function pathOf(connection: Connection | undefined): PathWord {
  return connection === undefined ? 'none' : pathWord(connection);
}

/** Somebody else who takes part, or should: whoever left or was expelled does not. */
export function isPeer({ state }: Peer): boolean {
  return state !== 'self' && state !== 'left' && state !== 'revoked';
}

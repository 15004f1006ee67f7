import type { Connection, Peer } from '../schemas.js';

/** How packets reach a peer; `plain`: directly, and not encrypted, since both ends trust the wire. */
export const PEER_PATHS = ['direct', 'relayed', 'tcp', 'plain', 'none'] as const;
export type PeerPathKind = (typeof PEER_PATHS)[number];

export function pathOf(connection: Connection | undefined): PeerPathKind {
  if (connection === undefined) return 'none';
  const { path, cipher } = connection;
  if (path === 'relay') return 'relayed';
  return path === 'direct' && cipher === 'plain' ? 'plain' : path;
}

/** Somebody else who takes part, or should: whoever left or was expelled does not. */
export function isPeer({ state }: Peer): boolean {
  return state !== 'self' && state !== 'left' && state !== 'revoked';
}

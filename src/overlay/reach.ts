import type { PeerId } from '../identity/index.js';
import type { OverlayMesh } from './port/index.js';

/** In networks of fewer members everybody has a session with everybody; in larger ones, with those that it has links to. */
const FULL_SESSIONS = 64;

/** The peers that a session is wanted with, and that control messages reach. */
export function reachable(mesh: Pick<OverlayMesh, 'members' | 'reachable'>): PeerId[] {
  const members = mesh.members().filter(({ self, left }) => !self && !left);
  const wanted = members.length < FULL_SESSIONS ? members : members.filter(({ linked }) => linked);
  return wanted.map(({ peer }) => peer).filter((peer) => mesh.reachable(peer));
}

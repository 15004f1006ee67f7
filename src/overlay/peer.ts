import type { PeerId } from '../identity/index.js';
import type { DataPlaneKeyState } from './data-plane.js';
import type { Session } from './session.js';

/** A peer that the data plane has or shall have. */
export interface Peer {
  readonly id: PeerId;
  /** Undefined for one that was found in the data plane and of which nothing was heard since. */
  session: Session | undefined;
  /** Keys found in the data plane before the session was there, and when. */
  found: { readonly keys: readonly DataPlaneKeyState[]; readonly at: number } | undefined;
  /** Of the peer, as it said in the last key agreement. */
  networks: readonly number[];
  endpoints: readonly string[];
  udpUp: boolean;
  wasUp: boolean;
  /** Control messages get there. */
  reachable: boolean;
  /** Since when neither these nor packets get there. */
  deadSince: number | undefined;
  /** What the data plane was told last. */
  told: string | undefined;
  timer: NodeJS.Timeout | undefined;
}

/** One of which nothing is known yet. */
export function newPeer(id: PeerId): Peer {
  return {
    id,
    session: undefined,
    found: undefined,
    networks: [],
    endpoints: [],
    udpUp: false,
    wasUp: false,
    reachable: false,
    deadSince: undefined,
    told: undefined,
    timer: undefined,
  };
}

import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { GossipChannel, OpenChannel } from '../../gossip/index.js';
import type { PeerId } from '../../identity/index.js';
import type { CipherSpeed, LinkView, MemberView, MeshEvents } from '../../mesh/index.js';

/** What the overlay needs of the mesh (`Mesh` is one). */
export interface OverlayMesh extends EventEmitter<MeshEvents> {
  send(peer: PeerId, channel: string, bytes: Uint8Array): boolean;
  link(peer: PeerId): LinkView | undefined;
  members(): readonly MemberView[];
  member(peer: PeerId): MemberView | undefined;
  /** A route for messages to this member is known. */
  reachable(peer: PeerId): boolean;
  openChannel(channel: GossipChannel): OpenChannel;
  /** False for a peer that was expelled, or was removed and is not back. */
  admits(peer: PeerId): boolean;
  /** The next connection to our TCP port that begins with these bytes, paused. Rejects after `timeout` milliseconds. */
  expectConnection(opening: Uint8Array, timeout: number): Promise<Socket>;
  /** `address:port` of a member's TCP port, best first. */
  addressesOf(peer: PeerId): readonly string[];
  /** Puts the data plane's ciphers into our record. */
  announceCiphers(ciphers: readonly CipherSpeed[]): void;
  /** An address of ours, `address:port`, as somebody sees it over UDP: a candidate for others. */
  addObservedEndpoint(endpoint: string): void;
  /** There is reason to believe that this peer can be reached again: dial now instead of waiting. */
  retry(peer: PeerId): void;
}

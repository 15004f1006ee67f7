import type { PeerId } from '../../identity/index.js';
import { type HostPort, ipHostPort, isReachable, parseHostPort } from '../../net/index.js';
import type { Membership } from './membership.js';

/** Where the control port of a member was reached or may be reached, to be remembered for another run. */
export interface Contact {
  readonly peer: PeerId;
  /** `1.2.3.4:6783` or `[2001:db8::1]:6783`, best first. */
  readonly addresses: readonly string[];
}

/** Where the control ports of members may be reached: as their records say or, until those are known, as an earlier run left it. */
export class Contacts {
  readonly #membership: Membership;
  readonly #onLoopback: boolean;
  /** Members of an earlier run whose records are not known yet. */
  readonly #remembered = new Map<PeerId, readonly HostPort[]>();

  /** `onLoopback`: this router listens on a single address, and seeks others at addresses that mean something on this host only, too. */
  constructor(membership: Membership, onLoopback: boolean) {
    this.#membership = membership;
    this.#onLoopback = onLoopback;
  }

  /**
   * Remembers these contacts in place of those before, but for peers whose records are known. Gives the peers that are remembered now, and
   * those that are not any more. Throws `bad-address`.
   */
  remember(contacts: readonly Contact[]): { remembered: readonly PeerId[]; dropped: readonly PeerId[] } {
    const unknown = contacts.filter(({ peer }) => this.#membership.get(peer) === undefined);
    const wanted = new Map(
      unknown.map(({ peer, addresses }) => [peer, addresses.map((address) => parseHostPort(address))]),
    );
    const dropped = [...this.#remembered.keys()].filter((peer) => !wanted.has(peer));
    this.#remembered.clear();
    for (const [peer, addresses] of wanted) this.#remembered.set(peer, addresses);
    return { remembered: [...wanted.keys()], dropped };
  }

  /** The record of a peer is known; true when the peer was remembered until now. */
  forget(peer: PeerId): boolean {
    return this.#remembered.delete(peer);
  }

  /** The IP addresses at which members, of this or of an earlier run, say to be. */
  hosts(): ReadonlySet<string> {
    const peers = [...this.#membership.all().map(({ peer }) => peer), ...this.#remembered.keys()];
    return new Set(peers.flatMap((peer) => this.addressesOf(peer).map(({ host }) => host)));
  }

  /**
   * A member listens for control links at the addresses of its data plane. One that says to be on loopback would have this router talk to
   * whatever program listens there.
   */
  addressesOf(peer: PeerId): readonly HostPort[] {
    const record = this.#membership.get(peer);
    if (record === undefined) return this.#remembered.get(peer) ?? [];
    const { endpoints, port } = record.content;
    const hosts = new Set(endpoints.map(hostOf));
    const usable = [...hosts].filter((host) => isReachable(host) || this.#onLoopback);
    return port === 0 ? [] : usable.map((host) => ipHostPort(host, port));
  }
}

/** The host of an endpoint; empty when it is none. */
export function hostOf(endpoint: string): string {
  try {
    return parseHostPort(endpoint).host;
  } catch {
    return '';
  }
}

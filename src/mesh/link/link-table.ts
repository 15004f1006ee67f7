import { WeftError } from '../../errors.js';
import type { PeerId, PublicKey } from '../../identity/index.js';
import { clonedPeer } from './clones.js';
import type { Link } from './link.js';
import { BYE_CLONED, BYE_DUPLICATE } from './messages.js';

export interface LinkTableEvents {
  /** The first link to a peer. */
  up(link: Link): void;
  /** The last link to a peer is gone. */
  down(peer: PeerId, reason: WeftError, link: Link): void;
  cloned(error: WeftError, link: Link): void;
}

/**
 * The established links, usually one a peer.
 *
 * Two routers that dial each other at once get two links. Both work; the peer with the lower public key decides which one stays
 * (the one that it dialled, else the newest), asks it for a sign of life, and only then closes the others. One decider cannot
 * disagree with itself, and the link that is kept is known to work at both ends.
 *
 * A second link from a process that is not the one of the first is a restart when the first is dead, and a clone of the
 * identity when it lives.
 */
export class LinkTable {
  readonly #self: PublicKey;
  readonly #probeTimeout: number;
  readonly #events: LinkTableEvents;
  readonly #links = new Map<PeerId, Link[]>();
  readonly #deciding = new Set<PeerId>();
  /** Links that are, or were, in the table. */
  readonly #admitted = new WeakSet<Link>();

  constructor(self: PublicKey, probeTimeout: number, events: LinkTableEvents) {
    this.#self = self;
    this.#probeTimeout = probeTimeout;
    this.#events = events;
  }

  /** The link to send on: the newest that is usable. */
  get(peer: PeerId): Link | undefined {
    return this.#links.get(peer)?.findLast((link) => link.usable);
  }

  /** One usable link of each peer. */
  all(): readonly Link[] {
    return [...this.#links.keys()].flatMap((peer) => this.get(peer) ?? []);
  }

  get size(): number {
    return this.#links.size;
  }

  /**
   * What comes over this link is from the peer that it names. False while that may be a clone of the peer that we know, and when all links to the peer are gone.
   * A link that is closed for another one counts: the other end may have sent something before it heard.
   */
  speaksForPeer(link: Link): boolean {
    return this.#admitted.has(link) && this.#links.has(link.remote.peer);
  }

  /** Takes an established link in. */
  add(link: Link): void {
    const current = this.get(link.remote.peer);
    if (current !== undefined && !current.remote.instance.equals(link.remote.instance)) {
      void this.#tellRestartFromClone(current, link);
    } else {
      this.#insert(link);
    }
  }

  #insert(link: Link): void {
    const { peer } = link.remote;
    const links = this.#links.get(peer) ?? [];
    this.#links.set(peer, [...links, link]);
    this.#admitted.add(link);
    link.once('closing', (reason) => this.#remove(link, reason));
    if (links.length === 0) this.#events.up(link);
    else void this.#decide(link.remote);
  }

  #remove(link: Link, reason: WeftError): void {
    const { peer } = link.remote;
    const rest = (this.#links.get(peer) ?? []).filter((other) => other !== link);
    if (rest.length > 0) {
      this.#links.set(peer, rest);
      return;
    }
    if (this.#links.delete(peer)) this.#events.down(peer, reason, link);
  }

  async #decide({ peer, publicKey }: { peer: PeerId; publicKey: PublicKey }): Promise<void> {
    if (Buffer.compare(this.#self, publicKey) > 0 || this.#deciding.has(peer)) return;
    this.#deciding.add(peer);
    for (;;) {
      const links = (this.#links.get(peer) ?? []).filter((link) => link.usable);
      const kept = links.findLast((link) => link.outbound) ?? links.at(-1);
      if (kept === undefined || links.length < 2) break;
      if (await kept.probe(this.#probeTimeout)) {
        const duplicate = new WeftError('duplicate-link', 'another link to the same peer is used instead');
        for (const other of links) if (other !== kept) other.close(BYE_DUPLICATE, duplicate);
      } else {
        kept.destroy(new WeftError('link-timeout', 'the link gave no sign of life while another one did'));
      }
    }
    this.#deciding.delete(peer);
  }

  async #tellRestartFromClone(current: Link, link: Link): Promise<void> {
    const alive = await current.probe(this.#probeTimeout);
    if (!link.usable) return;
    if (!alive) {
      const restarted = new WeftError('peer-restarted', 'the peer was restarted');
      this.#remove(current, restarted);
      current.destroy(restarted);
      this.#insert(link);
      return;
    }
    const error = clonedPeer(link.remote.peer, current.remoteAddress, link.remoteAddress);
    this.#events.cloned(error, link);
    link.close(BYE_CLONED, error);
  }
}

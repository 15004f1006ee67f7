import { WeftError } from '../../../errors.js';
import type { PeerId, PublicKey } from '../../../identity/index.js';
import { clonedPeer } from '../../membership/index.js';
import type { Link } from '../link.js';
import { BYE_CLONED, BYE_DUPLICATE } from '../messages.js';

/** Maximum number of links to one peer, and of those that may be a clone's. Two are usual for a moment, when both ends dial. */
const MAX_LINKS = 4;

export interface LinkTableEvents {
  /** The first link to a peer. */
  up(link: Link): void;
  /** The last link to a peer is gone. */
  down(peer: PeerId, reason: WeftError, link: Link): void;
  cloned(error: WeftError, link: Link): void;
}

/**
 * The established links, usually one to each peer.
 *
 * Two routers that dial each other at once get two links: a connection collision, as BGP calls it (RFC 4271, 6.8). Both links work. The
 * router with the lower public key decides which one stays (the one that it dialled, else the newest), pings over it, and closes the others
 * only after the answer. Since one router decides, the two cannot disagree, and the link that is kept is known to work in both directions.
 *
 * If a second link comes from another process than the first, the peer was restarted if the first link is dead, and has a clone if it
 * is alive.
 */
export class LinkTable {
  readonly #self: PublicKey;
  readonly #probeTimeout: number;
  readonly #events: LinkTableEvents;
  readonly #links = new Map<PeerId, Link[]>();
  readonly #resolving = new Set<PeerId>();
  /** How many links from another process of a peer wait until it is known whether that is a clone. */
  readonly #doubted = new Map<PeerId, number>();
  /** Links that are, or were, in the table. */
  readonly #admitted = new WeakSet<Link>();

  constructor(self: PublicKey, probeTimeout: number, events: LinkTableEvents) {
    this.#self = self;
    this.#probeTimeout = probeTimeout;
    this.#events = events;
  }

  /** The link to send on, which is the newest usable one. */
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
   * What comes over this link is from the peer that it names. False while that may be a clone of the peer that we know, and when all links to
   * the peer are gone. True for a link that is being closed in favour of another: its other end may have sent something before it heard.
   */
  speaksForPeer(link: Link): boolean {
    return this.#admitted.has(link) && this.#links.has(link.remote.peer);
  }

  /** Adds an established link. */
  add(link: Link): void {
    const current = this.get(link.remote.peer);
    if (current !== undefined && !current.remote.instance.equals(link.remote.instance)) {
      void this.#doubt(current, link);
    } else {
      this.#insert(link);
    }
  }

  #insert(link: Link): void {
    const { peer } = link.remote;
    const links = this.#links.get(peer) ?? [];
    // The router with the lower key is to close what is too much; one that does not must not make us keep it.
    if (links.length >= MAX_LINKS) links[0]?.close(BYE_DUPLICATE, tooMany());
    this.#links.set(peer, [...(this.#links.get(peer) ?? []), link]);
    this.#admitted.add(link);
    link.once('closing', (reason) => this.#remove(link, reason));
    if (links.length === 0) this.#events.up(link);
    else void this.#resolveCollision(link.remote);
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

  async #resolveCollision({ peer, publicKey }: { peer: PeerId; publicKey: PublicKey }): Promise<void> {
    if (Buffer.compare(this.#self, publicKey) > 0 || this.#resolving.has(peer)) return;
    this.#resolving.add(peer);
    for (;;) {
      const links = (this.#links.get(peer) ?? []).filter((link) => link.usable);
      const kept = links.findLast((link) => link.outbound) ?? links.at(-1);
      if (kept === undefined || links.length < 2) break;
      if (await kept.probe(this.#probeTimeout)) {
        const duplicate = duplicateLink('another link to the same peer is used instead');
        for (const other of links) if (other !== kept) other.close(BYE_DUPLICATE, duplicate);
      } else {
        kept.destroy(
          new WeftError(
            'link-timeout',
            'the link was closed: the peer did not answer on it, while another link to it works',
          ),
        );
      }
    }
    this.#resolving.delete(peer);
  }

  async #doubt(current: Link, link: Link): Promise<void> {
    const { peer } = link.remote;
    const before = this.#doubted.get(peer) ?? 0;
    if (before >= MAX_LINKS) return link.close(BYE_DUPLICATE, tooMany());
    this.#doubted.set(peer, before + 1);
    try {
      await this.#distinguishClone(current, link);
    } finally {
      const left = (this.#doubted.get(peer) ?? 1) - 1;
      if (left > 0) this.#doubted.set(peer, left);
      else this.#doubted.delete(peer);
    }
  }

  async #distinguishClone(current: Link, link: Link): Promise<void> {
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

function tooMany(): WeftError {
  return duplicateLink(`no more than ${MAX_LINKS} to one peer are kept`);
}

function duplicateLink(why: string): WeftError {
  return new WeftError('duplicate-link', `the link was closed: ${why}`);
}

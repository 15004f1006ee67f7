import type { WeftError } from '../errors.js';
import type { PeerId } from '../identity/index.js';
import type { Link } from './link.js';
import type { Membership } from './membership.js';
import type { MemberRecord, SignedRecord } from './record.js';

export interface GossipOptions {
  readonly membership: Membership;
  /** One usable link of each peer. */
  readonly links: () => readonly Link[];
  /** Milliseconds for which news is collected. */
  readonly delay: number;
  readonly onNews: (record: MemberRecord) => void;
  readonly onRefused: (error: WeftError, from: Link) => void;
  /** Somebody held a newer record of ours; `from` brought it. */
  readonly onOutdone: (from: Link) => void;
}

/** Spreads member records: everything to a new link, then only what is new, and never back to where it came from. */
export class Gossip {
  readonly #options: GossipOptions;
  readonly #pending = new Map<PeerId, { record: MemberRecord; from: Link | undefined }>();
  /** Links whose queue was full: they get everything once it is empty. */
  readonly #behind = new WeakSet<Link>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: GossipOptions) {
    this.#options = options;
  }

  linkUp(link: Link): void {
    link.on('drain', () => {
      if (this.#behind.delete(link)) this.#send(link, this.#options.membership.all());
    });
    this.#send(link, this.#options.membership.all());
  }

  receive(from: Link, records: readonly SignedRecord[]): void {
    const { news, refused, outdone } = this.#options.membership.merge(records, performance.now());
    for (const error of refused) this.#options.onRefused(error, from);
    if (outdone) this.#options.onOutdone(from);
    for (const record of news) {
      const own = record.peer === this.#options.membership.self.peer;
      this.#queue(record, own ? undefined : from);
      if (!own) this.#options.onNews(record);
    }
  }

  /** Our own record changed. */
  announce(record: MemberRecord): void {
    this.#queue(record, undefined);
  }

  /** Sends now what is waiting. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    if (pending.length === 0) return;
    for (const link of this.#options.links()) {
      const news = pending.filter(({ from }) => from !== link).map(({ record }) => record);
      this.#send(link, news);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #queue(record: MemberRecord, from: Link | undefined): void {
    this.#pending.set(record.peer, { record, from });
    this.#timer ??= setTimeout(() => this.flush(), this.#options.delay);
  }

  #send(link: Link, records: readonly MemberRecord[]): void {
    if (!link.sendMembers(records)) this.#behind.add(link);
  }
}

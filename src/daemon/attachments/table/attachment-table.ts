import type * as hostnet from '../../../hostnet/index.js';
import { hostEnd, loosePair } from '../../../hostnet/index.js';
import type { Networks } from '../../segments/index.js';
import type { StateFiles } from '../../state/index.js';
import { type AttachedEndpoint, AttachedEndpoints } from './attached-endpoints.js';
import { AttachmentBook } from './attachment-book.js';
import { type Entry, platformKey } from './attachment-entry.js';

export interface AttachmentTableOptions {
  readonly file: StateFiles['attachments'];
  readonly networks: Pick<Networks, 'bridge' | 'number' | 'settle'>;
  readonly host: Pick<typeof hostnet, 'bootId'>;
  readonly onAttached: (endpoint: AttachedEndpoint) => void;
  readonly onDetached: (endpoint: AttachedEndpoint) => void;
  readonly onFailure: (what: string, error: unknown) => void;
}

/** What is attached on this host: in memory, on the disk, and as others were told of it. */
export class AttachmentTable {
  readonly #options: AttachmentTableOptions;
  readonly book = new AttachmentBook();
  /** Since when a container is missing, of `performance.now()`, by id. */
  readonly missing = new Map<string, number>();
  readonly #told: AttachedEndpoints;

  constructor(options: AttachmentTableOptions) {
    this.#options = options;
    this.#told = new AttachedEndpoints({
      segment: (network) => options.networks.number(network),
      port: (entry) => this.hostEnd(entry),
      onAttached: options.onAttached,
      onDetached: options.onDetached,
    });
  }

  /** Everything that others were told of. */
  endpoints(): AttachedEndpoint[] {
    return this.#told.all();
  }

  /** Name of the host's end of its interface. */
  hostEnd({ network, inode, interface: inside, platform }: Entry): string {
    if (platform !== undefined) return loosePair(platformKey(platform)).port;
    return hostEnd(this.#options.networks.bridge(network), inode, inside);
  }

  /** Notes an attachment, and tells others what is new about it. */
  put(entry: Entry): void {
    this.replace(this.book.find(entry.id, entry.interface), entry);
  }

  /** As `put`, in place of one whose owner may be another. */
  replace(former: Entry | undefined, entry: Entry): void {
    if (former !== undefined) this.book.remove(former);
    this.book.put(entry);
    this.#options.networks.settle(entry.network);
    this.#told.tell(entry, former);
  }

  /** Others hear that it is attached no more; the table keeps it. */
  withdraw(entry: Entry): void {
    this.#told.withdraw(entry);
  }

  /** It is attached no more. */
  drop(entry: Entry): void {
    this.book.remove(entry);
    this.missing.delete(entry.id);
    this.#options.networks.settle(entry.network);
    this.#told.withdraw(entry);
  }

  /** What has happened has happened, even if the disk is full. */
  async note(): Promise<void> {
    await this.save().catch((error: unknown) => this.#options.onFailure('attachments are not saved', error));
  }

  /** Writes all to the disk. Rejects with `disk-full`. */
  async save(): Promise<void> {
    const boot = await this.#options.host.bootId();
    await this.#options.file.write(() => ({
      bootId: boot,
      attachments: this.book.all().map(({ present, sharing, ...stored }) => stored),
    }));
  }
}

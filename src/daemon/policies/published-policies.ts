import { EventEmitter } from 'node:events';
import { WeftError } from '../../errors.js';
import { OwnedRecords } from '../../gossip/index.js';
import type { Identity } from '../../identity/index.js';
import type { Mesh } from '../../mesh/index.js';
import { checkPolicyRecord, PolicyBook, type PolicyRecord, policyRecord } from '../../policy/index.js';
import { shareRecords } from '../membership/index.js';
import type { StateFiles } from '../state/index.js';

/** How long nothing must have changed before it is looked who publishes what, in milliseconds. */
const CALM = 5_000;
/** What one router publishes, and what all do together; each policy counts its text and 512 bytes more. A router itself publishes a quarter of its limit. */
const LIMITS = { owner: 16 * 1024 * 1024, total: 64 * 1024 * 1024 };

export interface PublishedPoliciesOptions {
  readonly identity: Identity;
  readonly mesh: Mesh;
  readonly file: StateFiles['policies'];
  /** Whether this router is one of the few that publish what would be forgotten otherwise. */
  readonly isKeeper: () => boolean;
  readonly onFailure: (error: unknown) => void;
}

/**
 * The policies that all routers have, kept on disk: those of others, too, since a host must not open up when it starts, before it has heard of anybody.
 */
export class PublishedPolicies extends EventEmitter<{ changed: [] }> {
  readonly #options: PublishedPoliciesOptions;
  readonly #records: OwnedRecords<PolicyRecord>;
  readonly book = new PolicyBook();
  /** What is about to be on the disk, and is not in force before. */
  readonly #coming = new Map<string, PolicyRecord>();
  #unshare = (): void => {};
  #calm: NodeJS.Timeout | undefined;

  constructor(options: PublishedPoliciesOptions) {
    super();
    this.#options = options;
    const { identity, mesh } = options;
    this.#records = new OwnedRecords({
      name: 'policies',
      identity,
      now: Date.now,
      value: policyRecord,
      check: checkPolicyRecord,
      limits: LIMITS,
      admits: (owner) => mesh.member(owner)?.left === false,
    });
    this.#records.on('change', (_owner, key, record) => this.#learn(key, record));
    this.#records.on('refused', options.onFailure);
  }

  /** Takes what was on the disk, and hears the others from now on. Rejects with `file-corrupt`. */
  async start(): Promise<void> {
    const { policies } = await this.#options.file.read();
    for (const { key, version, text, published } of policies) {
      const record = { version, text: text ?? undefined };
      checkPolicyRecord(key, record);
      this.book.put(key, record);
      if (published) this.#records.set(key, record);
    }
    this.#unshare = shareRecords(this.#options.mesh, this.#records);
    this.#keepSoon();
  }

  stop(): void {
    clearTimeout(this.#calm);
    this.#unshare();
  }

  /**
   * Makes these policies (JSON, by key; undefined: none) hold on all hosts, once they are on the disk. Rejects with `disk-full`, `too-many-records` or
   * `too-many-policies`.
   */
  async publish(changes: ReadonlyMap<string, string | undefined>): Promise<void> {
    const records = [...changes].map(([key, text]): [string, PolicyRecord] => [
      key,
      { version: this.book.nextVersion(key, Date.now()), text },
    ]);
    for (const [key, record] of records) this.#coming.set(key, record);
    try {
      await this.#save();
    } finally {
      for (const [key] of records) this.#coming.delete(key);
    }
    for (const [key, record] of records) {
      this.#records.set(key, record);
      if (this.book.get(key)?.version === record.version) continue;
      throw new WeftError('too-many-policies', 'there are as many policies as there may be: remove some');
    }
  }

  #learn(key: string, record: PolicyRecord | undefined): void {
    this.#keepSoon();
    if (record === undefined || !this.book.put(key, record)) return;
    this.#save().catch(this.#options.onFailure);
    this.emit('changed');
  }

  #keepSoon(): void {
    clearTimeout(this.#calm);
    this.#calm = setTimeout(() => this.#keep(), CALM);
  }

  /** What others have made anew is theirs to publish; what nobody publishes any more a few do. */
  #keep(): void {
    const { identity, isKeeper, onFailure } = this.#options;
    const isCurrent = (key: string, { version }: PolicyRecord) => this.book.get(key)?.version === version;
    for (const { key, value } of [...this.#records.entries(identity.peer)]) {
      if (!isCurrent(key, value)) this.#records.remove(key);
    }
    if (!isKeeper()) return;
    const current = [...this.#records.entries()].filter(({ key, value }) => isCurrent(key, value));
    const published = new Set(current.map(({ key }) => key));
    try {
      for (const [key, record] of this.book.records(Date.now())) {
        if (!published.has(key)) this.#records.set(key, record);
      }
    } catch (error) {
      onFailure(error);
    }
  }

  #save(): Promise<void> {
    return this.#options.file.write(() => ({
      policies: [...new Map([...this.book.records(Date.now()), ...this.#coming])].map(
        ([key, { version, text = null }]) => ({ key, version, text, published: this.#publishes(key) }),
      ),
    }));
  }

  #publishes(key: string): boolean {
    return this.#coming.has(key) || this.#records.get(this.#options.identity.peer, key) !== undefined;
  }
}

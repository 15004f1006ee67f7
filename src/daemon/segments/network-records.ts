import { EventEmitter } from 'node:events';
import { OwnedRecords } from '../../gossip/index.js';
import type { Identity } from '../../identity/index.js';
import type { Mesh } from '../../mesh/index.js';
import {
  checkNetworkRecord,
  type NetworkClaim,
  type NetworkRecord,
  networkRecord,
} from '../../networks/index.js';
import { shareRecords } from '../membership/index.js';
import type { StateFiles } from '../state/index.js';
import type { NetworkRecords } from './networks.js';

export interface PublishedNetworksOptions {
  readonly identity: Identity;
  readonly mesh: Mesh;
  readonly file: StateFiles['networks'];
  readonly onFailure: (error: unknown) => void;
}

/** What this router says about networks, kept on disk, and what the others say. */
export class PublishedNetworks extends EventEmitter<{ changed: [] }> implements NetworkRecords {
  readonly #options: PublishedNetworksOptions;
  readonly #records: OwnedRecords<NetworkRecord>;
  /** What this router says, or is about to say. */
  readonly #own = new Map<string, NetworkRecord>();
  #unshare = (): void => {};

  constructor(options: PublishedNetworksOptions) {
    super();
    this.#options = options;
    const { identity, mesh } = options;
    this.#records = new OwnedRecords({
      name: 'networks',
      identity,
      now: Date.now,
      value: networkRecord,
      check: checkNetworkRecord,
      admits: (owner) => mesh.member(owner)?.left === false,
    });
    this.#records.on('change', () => this.emit('changed'));
    this.#records.on('refused', options.onFailure);
  }

  /** Publishes what was on the disk, and hears the others from now on. Rejects with `file-corrupt`. */
  async start(): Promise<void> {
    const { networks } = await this.#options.file.read();
    for (const { name, ...record } of networks) {
      this.#own.set(name, record);
      this.#records.set(name, record);
    }
    this.#unshare = shareRecords(this.#options.mesh, this.#records);
  }

  stop(): void {
    this.#unshare();
  }

  *claims(): Iterable<NetworkClaim> {
    for (const { owner, key, value } of this.#records.entries()) yield { owner, name: key, record: value };
  }

  publish(name: string, record: NetworkRecord): void {
    this.#own.set(name, record);
    this.#records.set(name, record);
    this.#save().catch(this.#options.onFailure);
  }

  async publishStored(name: string, record: NetworkRecord): Promise<void> {
    const before = this.#own.get(name);
    this.#own.set(name, record);
    try {
      await this.#save();
    } catch (error) {
      if (before === undefined) this.#own.delete(name);
      else this.#own.set(name, before);
      throw error;
    }
    this.#records.set(name, record);
  }

  #save(): Promise<void> {
    return this.#options.file.write(() => ({
      networks: [...this.#own].map(([name, record]) => ({ name, ...record, subnets: [...record.subnets] })),
    }));
  }
}

import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import Type, { type Static } from 'typebox';
import writeFileAtomic from 'write-file-atomic';
import { WeftError } from '../errors.js';
import { corruptFile, readPrivateJson, writePrivateJson } from '../identity/index.js';
import { Serial } from '../order.js';
import { validator } from '../validate.js';
import { emptyState, type RingState } from './ownership/index.js';
import type { Block } from './ring/index.js';
import { restoredState, StoredRing, storedRing } from './stored.js';

/**
 * Says, in a directory that no reboot and no backup brings back (tmpfs), what was written to the disk last and that the router was
 * there until when. It is written before the state is: an older state, or one of another boot, does not match it.
 */
const Witness = Type.Object({
  /** Of the kernel. */
  bootId: Type.String(),
  sequence: Type.Integer({ minimum: 0 }),
  /** Seconds since the boot at which the router was alive. */
  aliveAt: Type.Number({ minimum: 0 }),
});
type Witness = Static<typeof Witness>;

/** A router that was away for longer (in seconds) may have been removed by others meanwhile. Whoever removes one waits for longer than this. */
export const LONGEST_ABSENCE = 15;

export interface RingFilesOptions {
  /** In the state directory. */
  readonly statePath: string;
  /** In the run directory. */
  readonly witnessPath: string;
  /** /proc/sys/kernel/random/boot_id */
  readonly bootId: string;
  /** Seconds since the boot. */
  readonly uptime: () => number;
}

const parseStored = validator('file-corrupt', 'its content', StoredRing);
const parseWitness = validator('file-corrupt', 'its content', Witness);

/** Where the ring is kept: its state on the disk, and the witness that the state is the last one. */
export class RingFiles {
  readonly #options: RingFilesOptions;
  #sequence = 0;
  /** What the witness is to say: while a state is being written, that of this one. */
  #witnessed = 0;
  /** What is on the disk is what this router works with. Before that, no witness may say so. */
  #isOurs = false;
  readonly #witness = new Serial();

  constructor(options: RingFilesOptions) {
    this.#options = options;
  }

  /**
   * The state as it was saved last, and whether this router goes on with it or begins another life.
   * Rejects with `file-corrupt` (it is never overwritten), `file-unreadable`, `file-not-private` or `range-changed`.
   */
  async load(range: Block): Promise<{ readonly state: RingState; readonly continued: boolean }> {
    const { statePath } = this.#options;
    const content = await readPrivateJson(statePath);
    if (content === undefined) return { state: emptyState(range), continued: false };
    try {
      const stored = parseStored(content);
      const state = restoredState(stored, range);
      const continued = this.#isContinued(await this.#readWitness(), stored.sequence);
      this.#sequence = stored.sequence;
      this.#witnessed = stored.sequence;
      this.#isOurs = continued;
      return { state, continued };
    } catch (error) {
      if (error instanceof WeftError && error.code === 'range-changed') throw error;
      throw corruptFile(statePath, error instanceof Error ? error.message : String(error), error);
    }
  }

  /** Resolves when the state is on the disk. Rejects with `disk-full` or `no-privilege`; then the file is as it was before. */
  async save(state: RingState): Promise<void> {
    const before = this.#sequence;
    this.#witnessed = before + 1;
    try {
      await this.#writeWitness(this.#witnessed);
      await writePrivateJson(this.#options.statePath, storedRing(state, before + 1));
      this.#sequence = before + 1;
      this.#isOurs = true;
    } catch (error) {
      this.#witnessed = before;
      await this.beat().catch(() => {});
      throw error;
    }
  }

  /** Says that the router is alive: to be called every second, and once before it is stopped. */
  async beat(): Promise<void> {
    if (this.#isOurs) await this.#writeWitness(this.#witnessed);
  }

  #isContinued(witness: Witness | undefined, sequence: number): boolean {
    if (witness === undefined || witness.bootId !== this.#options.bootId) return false;
    return witness.sequence === sequence && this.#options.uptime() - witness.aliveAt <= LONGEST_ABSENCE;
  }

  async #readWitness(): Promise<Witness | undefined> {
    try {
      return parseWitness(await readPrivateJson(this.#options.witnessPath));
    } catch {
      return undefined; // Nothing is lost without one: others confirm what is ours.
    }
  }

  #writeWitness(sequence: number): Promise<void> {
    const { witnessPath, bootId, uptime } = this.#options;
    return this.#witness.run(async () => {
      await mkdir(dirname(witnessPath), { recursive: true, mode: 0o700 });
      // Need not survive a crash of the machine: another boot makes it void.
      const witness = JSON.stringify({ bootId, sequence, aliveAt: uptime() } satisfies Witness);
      await writeFileAtomic(witnessPath, witness, { mode: 0o600, fsync: false });
    });
  }
}

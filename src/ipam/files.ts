import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import Type, { type Static } from 'typebox';
import writeFileAtomic from 'write-file-atomic';
import { messageOf, WeftError } from '../errors.js';
import { corruptFile, readPrivateJson, writePrivateJson } from '../identity/index.js';
import { Serial } from '../order.js';
import { validator } from '../validate.js';
import { emptyState, type RingState } from './ownership/index.js';
import type { Block } from './ring/index.js';
import { restoredState, StoredRing, storedRing } from './stored.js';

/**
 * Tells which state was written to the disk last, and until when the router was alive. It lies in a directory
 * that no reboot and no backup restores (tmpfs) and is written before the state: an older copy of the state,
 * or one of another boot, does not match it.
 */
const Marker = Type.Object({
  /** The kernel's id of the boot. */
  bootId: Type.String(),
  sequence: Type.Integer({ minimum: 0 }),
  /** When the router was alive last, in seconds since the boot. */
  aliveAt: Type.Number({ minimum: 0 }),
});
type Marker = Static<typeof Marker>;

/**
 * Maximum seconds of absence after which a router goes on in its incarnation. Another router that removes it
 * waits for longer than this before it takes anything over.
 */
export const LONGEST_ABSENCE = 15;

export interface RingFilesOptions {
  /** A path in the state directory. */
  readonly statePath: string;
  /** A path in the run directory. */
  readonly markerPath: string;
  /** The content of /proc/sys/kernel/random/boot_id. */
  readonly bootId: string;
  /** Seconds since the boot. */
  readonly uptime: () => number;
}

const parseStored = validator('file-corrupt', 'its content', StoredRing);
const parseMarker = validator('file-corrupt', 'its content', Marker);

/** The files of the ring: its state, and the marker that tells whether the state is fresh. */
export class RingFiles {
  readonly #options: RingFilesOptions;
  #sequence = 0;
  /** The sequence in the marker: while a state is being written, that of this state. */
  #markedSequence = 0;
  /** Whether this router works with the state on the disk. No marker may be written before that. */
  #isInUse = false;
  readonly #markerWrites = new Serial();

  constructor(options: RingFilesOptions) {
    this.#options = options;
  }

  /**
   * The state that was saved last, and whether this router goes on in its incarnation or begins another one.
   * Rejects with `file-corrupt` (it is never overwritten), `file-unreadable`, `file-not-private` or
   * `range-changed`.
   */
  async load(range: Block): Promise<{ readonly state: RingState; readonly continued: boolean }> {
    const { statePath } = this.#options;
    const content = await readPrivateJson(statePath);
    if (content === undefined) return { state: emptyState(range), continued: false };
    try {
      const stored = parseStored(content);
      const state = restoredState(stored, range);
      const continued = this.#isContinued(await this.#readMarker(), stored.sequence);
      this.#sequence = stored.sequence;
      this.#markedSequence = stored.sequence;
      this.#isInUse = continued;
      return { state, continued };
    } catch (error) {
      if (error instanceof WeftError && error.code === 'range-changed') throw error;
      throw corruptFile(statePath, messageOf(error), error);
    }
  }

  /**
   * Resolves once the state is on the disk. Rejects with `disk-full` or `no-privilege`; then the file is
   * unchanged.
   */
  async save(state: RingState): Promise<void> {
    const before = this.#sequence;
    this.#markedSequence = before + 1;
    try {
      await this.#writeMarker(this.#markedSequence);
      await writePrivateJson(this.#options.statePath, storedRing(state, before + 1));
      this.#sequence = before + 1;
      this.#isInUse = true;
    } catch (error) {
      this.#markedSequence = before;
      await this.beat().catch(() => {});
      throw error;
    }
  }

  /** Marks that the router is alive. Must be called every second, and once before the router is stopped. */
  async beat(): Promise<void> {
    if (this.#isInUse) await this.#writeMarker(this.#markedSequence);
  }

  #isContinued(marker: Marker | undefined, sequence: number): boolean {
    if (marker === undefined || marker.bootId !== this.#options.bootId) return false;
    return marker.sequence === sequence && this.#options.uptime() - marker.aliveAt <= LONGEST_ABSENCE;
  }

  async #readMarker(): Promise<Marker | undefined> {
    try {
      return parseMarker(await readPrivateJson(this.#options.markerPath));
    } catch {
      return undefined; // Without a marker nothing is lost: the others confirm what this router owns.
    }
  }

  #writeMarker(sequence: number): Promise<void> {
    const { markerPath, bootId, uptime } = this.#options;
    return this.#markerWrites.run(async () => {
      await mkdir(dirname(markerPath), { recursive: true, mode: 0o700 });
      // The marker need not survive a crash of the machine: another boot makes it void.
      const marker = JSON.stringify({ bootId, sequence, aliveAt: uptime() } satisfies Marker);
      await writeFileAtomic(markerPath, marker, { mode: 0o600, fsync: false });
    });
  }
}

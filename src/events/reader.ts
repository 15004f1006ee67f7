import { Readable } from 'node:stream';
import { WeftError } from '../errors.js';
import type { Journal, Place } from './journal.js';

/** Maximum number of those who read at a time. */
const MAX_READERS = 64;

/** Reads a journal line by line. It keeps nothing but its place: who reads slowly loses what the journal forgets meanwhile. */
export class JournalReader {
  readonly #journal: Journal;
  /** Sequence number of the next event. */
  #next: number;
  /** To be read first. */
  #notice: string | undefined;
  #hasBegun = false;

  constructor(journal: Journal, { since, run, after }: Place) {
    this.#journal = journal;
    this.#next = journal.last + 1;
    if (since !== undefined) this.#next = since + 1;
    if (after !== undefined) this.#next = journal.firstAfter(after);
    if (after !== undefined && this.#next === journal.first) this.#next = 1;
    if (since === undefined || (since <= journal.last && (run ?? journal.run) === journal.run)) return;
    this.#next = journal.first;
    this.#notice = journal.lost('restarted', null, null);
  }

  /** Undefined while there is nothing more. */
  next(): string | undefined {
    const notice = this.#notice ?? this.#missed();
    this.#notice = undefined;
    if (notice !== undefined) return notice;
    this.#hasBegun = true;
    if (this.#next > this.#journal.last) return undefined;
    this.#next += 1;
    return this.#journal.line(this.#next - 1);
  }

  #missed(): string | undefined {
    const { first } = this.#journal;
    if (this.#next >= first) return undefined;
    const from = this.#next;
    this.#next = first;
    return this.#journal.lost(this.#hasBegun ? 'slow' : 'forgotten', from, first - 1);
  }
}

/** Readers of one journal, for whoever serves them over a connection. */
export class EventStreams {
  readonly #journal: Journal;
  #open = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /**
   * The lines from a place on, each as `format` makes it; with `follow`, those of the future, too. It ends with the journal. What is not read
   * does not pile up here. Throws `too-many-readers`.
   */
  open(
    place: Place,
    { follow = true, format = (line: string) => `${line}\n` }: StreamOptions = {},
  ): Readable {
    if (this.#open >= MAX_READERS) {
      throw new WeftError(
        'too-many-readers',
        `${MAX_READERS} others read this router's events already: end one of them`,
      );
    }
    this.#open += 1;
    const journal = this.#journal;
    const reader = new JournalReader(journal, place);
    let isWanted = false;
    const feed = () => {
      while (isWanted) {
        const line = reader.next();
        if (line === undefined) {
          if (!follow || journal.ended) isWanted = stream.push(null);
          return;
        }
        isWanted = stream.push(format(line));
      }
    };
    const stream = new Readable({
      read: () => {
        isWanted = true;
        feed();
      },
      destroy: (error, done) => {
        this.#open -= 1;
        journal.off('news', feed);
        done(error);
      },
    });
    journal.on('news', feed);
    return stream;
  }
}

export interface StreamOptions {
  readonly follow?: boolean;
  readonly format?: (line: string) => string;
}

import { EventEmitter } from 'node:events';
import type { Clock } from '../clock.js';
import { printable } from '../text/index.js';
import { EVENTS_VERSION, type EventDetails, type EventKind, type LostLine, type WeftEvent } from './event.js';
import { Quota } from './quota.js';

/** Maximum number of events that are kept, and of the characters of their lines. */
const MAX_EVENTS = 4_096;
const MAX_CHARACTERS = 4 * 1024 * 1024;
/** How long events that are left out are counted before that is told, in milliseconds. */
const COUNTING = 5_000;
/** Maximum length of a text in an event, and of a list. */
const MAX_TEXT = 512;
const MAX_LIST = 64;

export interface JournalOptions {
  /** Names this run of the daemon. */
  readonly run: string;
  readonly clock: Clock;
  /** Unix time in milliseconds. */
  readonly time: () => number;
}

export interface JournalEvents {
  event: [event: WeftEvent];
  /** There is something to read, or nothing will ever be. */
  news: [];
}

/** Where somebody begins to read; neither: with what happens from now on. */
export interface Place {
  /** Sequence number of the last event that is known, */
  readonly since?: number | undefined;
  /** of this run. */
  readonly run?: string | undefined;
  /** Unix time in milliseconds. */
  readonly after?: number | undefined;
}

/** An event that is kept. */
interface Kept {
  readonly time: number;
  readonly line: string;
}

/** What happened to this router lately: the newest events, each as a line of JSON. */
export class Journal extends EventEmitter<JournalEvents> {
  readonly #options: JournalOptions;
  readonly #quota = new Quota();
  /** By class, how many were left out since that was told. */
  readonly #omitted = new Map<string, number>();
  /** By sequence number, modulo MAX_EVENTS. */
  readonly #kept: Kept[] = [];
  #characters = 0;
  #first = 1;
  #last = 0;
  #ended = false;

  constructor(options: JournalOptions) {
    super();
    this.setMaxListeners(0);
    this.#options = options;
  }

  get run(): string {
    return this.#options.run;
  }

  /** Sequence numbers of the oldest and of the newest event that are kept. */
  get first(): number {
    return this.#first;
  }

  get last(): number {
    return this.#last;
  }

  /** Nothing happens any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Something happened. Where others decide how often it does, `by` is the id of the router that it comes from: those share what may be told
   * of a kind. Details that are given as a function are made for what is told only.
   */
  record<Kind extends EventKind>(
    kind: Kind,
    subject: string,
    details: EventDetails<Kind> | (() => EventDetails<Kind>),
    by = '',
  ): void {
    if (this.#ended) return;
    const name = `${kind} ${by.slice(0, 2)}`;
    if (!this.#quota.take(name, this.#options.clock.now())) this.#omit(name, kind);
    else this.#append(kind, subject, typeof details === 'function' ? details() : details);
  }

  /** The line of an event that is kept. */
  line(seq: number): string {
    return this.#at(seq).line;
  }

  /** Sequence number of the first event that is kept and happened at this time (Unix, in milliseconds) or later. */
  firstAfter(time: number): number {
    let seq = this.#first;
    while (seq <= this.#last && this.#at(seq).time < time) seq += 1;
    return seq;
  }

  /** What stands for events that cannot be read. */
  lost(reason: LostLine['reason'], from: number | null, to: number | null): string {
    const lost: LostLine = { version: EVENTS_VERSION, run: this.run, kind: 'lost', reason, from, to };
    return JSON.stringify(lost);
  }

  end(): void {
    this.#ended = true;
    this.emit('news');
  }

  #append<Kind extends EventKind>(kind: Kind, subject: string, details: EventDetails<Kind>): void {
    const time = this.#options.time();
    this.#last += 1;
    const event = {
      version: EVENTS_VERSION,
      run: this.run,
      seq: this.#last,
      time: new Date(time).toISOString(),
      kind,
      subject,
      details: JSON.parse(JSON.stringify(details, clipped)) as EventDetails<Kind>,
    };
    const line = printable(JSON.stringify(event));
    this.#makeRoom(line.length);
    this.#kept[this.#last % MAX_EVENTS] = { time, line };
    this.#characters += line.length;
    this.emit('event', event as WeftEvent);
    this.emit('news');
  }

  #makeRoom(characters: number): void {
    const isFull = () =>
      this.#last - this.#first >= MAX_EVENTS || this.#characters + characters > MAX_CHARACTERS;
    while (this.#first < this.#last && isFull()) {
      this.#characters -= this.line(this.#first).length;
      this.#first += 1;
    }
  }

  #omit(name: string, kind: EventKind): void {
    const count = this.#omitted.get(name);
    this.#omitted.set(name, (count ?? 0) + 1);
    if (count !== undefined) return;
    this.#options.clock.after(COUNTING, () => {
      this.#append('omitted', 'router', { of: kind, count: this.#omitted.get(name) ?? 0 });
      this.#omitted.delete(name);
    });
  }

  #at(seq: number): Kept {
    const kept = this.#kept[seq % MAX_EVENTS];
    if (kept === undefined) throw new RangeError(`event ${seq} is not kept`);
    return kept;
  }
}

function clipped(_key: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, MAX_LIST);
  return typeof value === 'string' && value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
}

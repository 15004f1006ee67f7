import { isInSubnets } from '../../../../hostnet/index.js';
import type { Pause } from '../../source.js';
import {
  type Announcement,
  type Heard,
  isAsked,
  LIFETIME,
  markedText,
  pointerTo,
  questionFor,
  readAnnouncement,
  recordsOf,
} from './announcement.js';
import { Groups } from './groups.js';
import { encodeAnswer, encodeQuery, readMessage } from './message.js';
import { Neighbours } from './neighbours.js';
import type { Place } from './places.js';

/** Between two messages with the same records, in milliseconds: RFC 6762, 6. */
const REST = 1_000;
/** Who is asked together with others waits for a part of it, in milliseconds. */
const [SOON, SPREAD] = [20, 100];
/** The longest time between two questions, in milliseconds. */
const SELDOM = 3_600_000;
/** As many fit one frame. */
const MOST_KNOWN = 20;
/** A message may be lost. */
const ANNOUNCEMENTS = 2;

export interface LinkOptions {
  readonly service: string;
  readonly peer: string;
  readonly port: number;
  readonly marks: (text: string) => readonly string[];
  readonly now: () => number;
  readonly random: () => number;
  readonly pause: Pause;
  /** Other targets than before. */
  readonly onChange: () => void;
  readonly signal: AbortSignal;
}

/** One link of this host: tells there of this router, and hears of others. */
export class Link {
  readonly #neighbours = new Neighbours();
  readonly #self: Announcement;
  #groups: Groups | undefined;
  #announcements = ANNOUNCEMENTS;
  #announceAt: number;
  #askAt: number;
  #interval = REST;
  /** Nobody is asked before. */
  #restUntil = 0;
  #isAnswering = false;

  private constructor(
    readonly place: Place,
    private readonly options: LinkOptions,
  ) {
    const { peer, port, now, random } = options;
    this.#self = { peer, port, addresses: place.addresses };
    this.#announceAt = now();
    this.#askAt = now() + SOON + SPREAD * random();
  }

  static async open(place: Place, options: LinkOptions): Promise<Link> {
    const link = new Link(place, options);
    link.#groups = await Groups.join(place, (bytes) => link.#hear(bytes));
    return link;
  }

  get targets(): string[] {
    return this.#neighbours.targets;
  }

  /** When `tick` has something to do. */
  get dueAt(): number {
    const announceAt = this.#announcements > 0 ? this.#announceAt : Infinity;
    return Math.min(announceAt, this.#questionAt);
  }

  /** However soon neighbours are to be asked for again. */
  get #questionAt(): number {
    return Math.max(this.#restUntil, Math.min(this.#askAt, this.#neighbours.dueAt));
  }

  async tick(): Promise<void> {
    const now = this.options.now();
    this.#neighbours.forget(now);
    if (this.#announcements > 0 && this.#announceAt <= now) {
      this.#announcements -= 1;
      await this.#tell(LIFETIME);
    }
    if (this.#questionAt <= now) await this.#ask(now);
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    await this.#tell(0);
    this.#groups?.close();
    this.#groups = undefined;
  }

  async #ask(now: number): Promise<void> {
    const { service } = this.options;
    if (this.#askAt <= now) {
      this.#askAt = now + this.#interval;
      this.#interval = Math.min(SELDOM, this.#interval * 2);
    }
    this.#restUntil = now + REST;
    this.#neighbours.asked(now);
    const known = this.#neighbours.known(now).slice(0, MOST_KNOWN);
    const pointers = known.map(({ peer, left }) => pointerTo(peer, service, left));
    await this.#groups?.send(encodeQuery(questionFor(service), pointers));
  }

  async #tell(lifetime: number): Promise<void> {
    const { service, marks, now } = this.options;
    this.#announceAt = now() + REST;
    const [mark] = marks(markedText(service, this.#self));
    await this.#groups?.send(encodeAnswer(recordsOf(this.#self, service, mark, lifetime)));
  }

  #hear(bytes: Buffer): void {
    const { service, peer, now, onChange } = this.options;
    const message = readMessage(bytes);
    if (message === undefined) return;
    if (isAsked(message, peer, service)) void this.#answer();
    const heard = message.isAnswer ? readAnnouncement(message, service) : undefined;
    if (heard === undefined || heard.peer === peer || !this.#isMember(heard)) return;
    const before = this.targets.join();
    this.#neighbours.hear({ ...heard, addresses: this.#onLink(heard) }, now());
    if (this.targets.join() !== before) onChange();
  }

  /** However many ask, they all hear one answer. */
  async #answer(): Promise<void> {
    const { now, random, pause, signal } = this.options;
    if (this.#isAnswering) return;
    this.#isAnswering = true;
    await pause(Math.max(SOON + SPREAD * random(), this.#announceAt - now()), signal);
    if (!signal.aborted) await this.#tell(LIFETIME);
    this.#isAnswering = false;
  }

  /** Where members are marked, nobody else counts; where they cannot be, nobody that is. */
  #isMember(heard: Heard): boolean {
    const marks = this.options.marks(markedText(this.options.service, heard));
    return marks.length === 0 ? heard.mark === undefined : marks.includes(heard.mark ?? '');
  }

  /** Who speaks here can name nobody elsewhere. */
  #onLink({ addresses }: Heard): string[] {
    return addresses.filter((address) => isInSubnets(address, this.place.subnets));
  }
}

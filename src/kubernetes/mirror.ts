import { Backoff } from '../backoff.js';
import { messageOf } from '../errors.js';
import { Unanswered } from '../http/index.js';
import { loggable } from '../text/index.js';
import { Collection, type CollectionOptions, type Listed } from './collection.js';
import { Contents } from './contents.js';

/** Before a server that failed is asked again, in milliseconds. */
const RETRY = { initial: 1_000, max: 30_000 } as const;

export interface MirrorOptions<T> extends CollectionOptions<T> {
  readonly random: () => number;
  /** Unix time in milliseconds. */
  readonly time: () => number;
  /** Some object is not what it was, or there are other ones. */
  readonly onChange: () => void;
  /** The server answers no more (the reason), or does again (undefined). Once for each outage. */
  readonly onTurn: (error: string | undefined) => void;
}

export interface MirrorStatus {
  readonly state: 'waiting' | 'working' | 'failing';
  /** Unix time in milliseconds since which that is so. */
  readonly since: number;
  /** When all objects were listed last; null: not yet in this run. */
  readonly listedAt: number | null;
  readonly error: string | null;
}

/** The objects of one kind as the server has them, for as long as it takes. While it does not answer, what was known stays. */
export class Mirror<T> {
  readonly #options: MirrorOptions<T>;
  readonly #collection: Collection<T>;
  readonly #backoff: Backoff;
  #contents: Contents<T>;
  /** Undefined: the list must be made anew. */
  #listed: Listed<T> | undefined;
  #status: MirrorStatus;
  #onListed: () => void = () => {};
  /** Resolves once something is known: from the server, or by `restore`. */
  readonly known = new Promise<void>((resolve) => {
    this.#onListed = resolve;
  });

  constructor(options: MirrorOptions<T>) {
    this.#options = options;
    this.#collection = new Collection(options);
    this.#backoff = new Backoff(RETRY.initial, RETRY.max, options.random);
    this.#contents = new Contents(options.resource);
    this.#status = { state: 'waiting', since: options.time(), listedAt: null, error: null };
  }

  get objects(): ReadonlyMap<string, T> {
    return this.#contents.objects;
  }

  /** What is wrong with objects, by which it is. */
  get faults(): ReadonlyMap<string, string> {
    return this.#contents.faults;
  }

  /** Nothing was left out for lack of room. */
  get isWhole(): boolean {
    return this.#contents.isWhole;
  }

  get status(): MirrorStatus {
    return this.#status;
  }

  /** What was known in an earlier run, until the server answers. */
  restore(objects: Iterable<readonly [key: string, object: T]>): void {
    for (const [key, object] of objects) this.#contents.objects.set(key, object);
    if (this.#contents.objects.size > 0) this.#onListed();
  }

  /** The same, of objects as the server has them: one that this version does not understand, as a later one did, is a fault and hinders no other. */
  restoreObjects(objects: Iterable<unknown>): void {
    for (const object of objects) this.#contents.put(object);
    if (this.#contents.objects.size > 0) this.#onListed();
  }

  /** What somebody got of the server by other means, of which changes are told in their turn. Throws `kubernetes-failed` for what has no name. */
  learn(object: unknown): void {
    if (this.#contents.put(object)) this.#options.onChange();
  }

  /** Until the signal comes. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#listed ??= await this.#list(signal);
        await this.#collection.watch(this.#listed, (isChange) => this.#heard(isChange), signal);
        this.#listed = undefined;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof Unanswered)) this.#listed = undefined;
        this.#failed(error);
      }
      await this.#options.pause(this.#backoff.next(), signal);
    }
  }

  async #list(signal: AbortSignal): Promise<Listed<T>> {
    const listed = await this.#collection.list(signal);
    this.#contents = listed.contents;
    this.#turn('working');
    this.#status = { ...this.#status, listedAt: this.#options.time() };
    this.#onListed();
    this.#options.onChange();
    return listed;
  }

  /** A server that tells of changes works; one that only begins to answer may forget us again at once. */
  #heard(isChange: boolean): void {
    this.#turn('working');
    if (!isChange) return;
    this.#backoff.reset();
    this.#options.onChange();
  }

  #failed(error: unknown): void {
    this.#turn('failing', loggable(messageOf(error)));
  }

  #turn(state: 'working' | 'failing', error: string | null = null): void {
    const { time, onTurn } = this.#options;
    const before = this.#status;
    const since = before.state === state ? before.since : time();
    this.#status = { ...before, state, since, error };
    if (before.state === state) return;
    if (state === 'failing') onTurn(error ?? '');
    else if (before.state === 'failing') onTurn(undefined);
  }
}

import { ConnectionEnded } from '../http/index.js';
import { type Event, explained, parseEvent, parseList } from './answers.js';
import { AnswerTooLarge, type Api, HttpRefusal } from './api.js';
import { Contents, type Resource } from './contents.js';

/** Objects of one answer at first: a pod takes ten kilobytes. Of objects so large that an answer has no room for them fewer are asked for. */
const PAGE = 100;
/** The server is asked to end a watch after this time, in seconds, and is given a little longer. */
const WATCH = 290;
/** A watch in which nothing came for so long, in milliseconds, is dead: bookmarks come each minute. */
const IDLE = 120_000;
/** Before the next watch, in milliseconds. */
const REST = 1_000;
const EXPIRED = 410;

/** Resolves after so many milliseconds, or once the signal comes. */
export type Pause = (milliseconds: number, signal: AbortSignal) => Promise<void>;

/** All objects of a kind, and up to which of its changes. */
export interface Listed<T> {
  version: string;
  readonly contents: Contents<T>;
}

export interface CollectionOptions<T> {
  readonly api: Api;
  readonly resource: Resource<T>;
  readonly pause: Pause;
  /** Default: two minutes, in milliseconds. */
  readonly idle?: number;
}

/** Lists and watches the objects of one kind. */
export class Collection<T> {
  readonly #options: CollectionOptions<T>;

  constructor(options: CollectionOptions<T>) {
    this.#options = options;
  }

  /** In pages. Rejects with `kubernetes-failed`. */
  async list(signal: AbortSignal): Promise<Listed<T>> {
    const contents = new Contents(this.#options.resource);
    let [version, next, limit]: [string, string | undefined, number] = ['', '', PAGE];
    while (next !== undefined && contents.isWhole) {
      try {
        const page = parseList(await this.#page(limit, next, signal));
        for (const object of page.items ?? []) contents.put(object);
        version = page.metadata.resourceVersion;
        next = page.metadata.continue || undefined;
      } catch (error) {
        if (!(error instanceof AnswerTooLarge) || limit === 1) throw this.#explained(error);
        limit = Math.ceil(limit / 8);
      }
    }
    return { version, contents };
  }

  /**
   * Keeps a list as things are, and calls `onNews` with each word of the server, and whether anything changed. Each watch goes on where the one before
   * ended; resolves when the server knows no more what happened since, so that the list must be made anew. Rejects with `kubernetes-failed`.
   */
  async watch(listed: Listed<T>, onNews: (isChange: boolean) => void, signal: AbortSignal): Promise<void> {
    const { contents } = listed;
    while (!signal.aborted) {
      try {
        for await (const { type, object } of this.#events(listed.version, () => onNews(false), signal)) {
          const isChange = type === 'BOOKMARK' ? false : changes(contents, type, object);
          listed.version = object.metadata?.resourceVersion ?? listed.version;
          onNews(isChange);
        }
      } catch (error) {
        if (error instanceof HttpRefusal && error.status === EXPIRED) return;
        if (!(error instanceof ConnectionEnded)) throw this.#explained(error);
      }
      await this.#options.pause(REST, signal);
    }
  }

  #page(limit: number, next: string, signal: AbortSignal): Promise<unknown> {
    const after = next === '' ? '' : `&continue=${encodeURIComponent(next)}`;
    return this.#options.api.ask({ path: this.#path(`limit=${limit}${after}`), signal });
  }

  async *#events(version: string, onBegin: () => void, signal: AbortSignal): AsyncGenerator<Event> {
    const { api, idle = IDLE } = this.#options;
    const from = encodeURIComponent(version);
    const query = `watch=1&resourceVersion=${from}&timeoutSeconds=${WATCH}&allowWatchBookmarks=true`;
    const patience = { within: (WATCH + 10) * 1_000, idle };
    for await (const line of api.lines({ path: this.#path(query), signal, onBegin, ...patience })) {
      const event = parseEvent(line);
      const { code = 0, message = '' } = event.object;
      if (event.type === 'ERROR') throw api.refusal(code, message);
      yield event;
    }
  }

  #path(query: string): string {
    const { path } = this.#options.resource;
    return `${path}${path.includes('?') ? '&' : '?'}${query}`;
  }

  #explained(error: unknown): unknown {
    const { api, resource } = this.#options;
    return explained(error, 'list and watch', resource.name, api.origin);
  }
}

function changes<T>(contents: Contents<T>, type: string, object: unknown): boolean {
  return type === 'DELETED' ? contents.remove(object) : contents.put(object);
}

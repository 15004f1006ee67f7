import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode, WeftError } from '../../../../errors.js';
import type { Pause } from '../../source.js';
import { loggable } from '../../targets.js';
import { ConnectionEnded, Http, HttpRefusal } from '../http.js';
import { type Event, keep, parseEvent, parseList, type Resource } from './resources.js';

/** Objects of one answer: a node with many images takes tens of kilobytes. */
const PAGE = 50;
/** The server is asked to end a watch after this time, in seconds, and is given a little longer. */
const WATCH = 290;
/** Before the next watch, in milliseconds. */
const REST = 1_000;
/** The greatest file of a service account, in characters. */
const LARGEST_FILE = 1 << 20;

/** Where the API is, and how this router speaks to it. */
export interface Access {
  /** Undefined where there is no cluster. */
  readonly origin: string | undefined;
  /** The directory of the pod's service account. */
  readonly account: string;
  /** A watch in which nothing came for so long, in milliseconds, is dead: bookmarks come each minute. */
  readonly idle: number;
}

/** What there is at one moment. */
export interface Listed {
  version: string;
  /** The targets of each object, by its name. */
  readonly objects: Map<string, readonly string[]>;
}

/** Lists and watches one resource, as the pod's service account. */
export class Cluster {
  readonly #http: Http;

  private constructor(
    origin: string,
    ca: string,
    private readonly access: Access,
    private readonly resource: Resource,
    private readonly pause: Pause,
  ) {
    this.#http = new Http(origin, ca);
  }

  static async enter(access: Access, resource: Resource, pause: Pause): Promise<Cluster> {
    const { origin, account } = access;
    if (origin === undefined)
      throw new WeftError('source-failed', 'KUBERNETES_SERVICE_HOST is not set: run the router in a pod');
    return new Cluster(origin, await accountFile(account, 'ca.crt'), access, resource, pause);
  }

  /** Of more objects than there may be targets the first ones. */
  async list(signal: AbortSignal): Promise<Listed> {
    const listed: Listed = { version: '', objects: new Map() };
    let next: string | undefined = '';
    let isRoom = true;
    while (next !== undefined && isRoom) {
      const query: string = `limit=${PAGE}${next === '' ? '' : `&continue=${encodeURIComponent(next)}`}`;
      const question = await this.#question(query, signal);
      const { content } = await this.#http.ask(question).catch((error: unknown) => {
        throw this.#explained(error);
      });
      const { metadata, items } = parseList(content);
      for (const object of items ?? []) isRoom = keep(listed.objects, 'ADDED', this.resource, object).isRoom;
      listed.version = metadata.resourceVersion;
      next = metadata.continue || undefined;
    }
    return listed;
  }

  /**
   * Keeps a list as things are, and calls `onChange` when there are other targets. Each watch goes on where the one before ended; resolves
   * when the server knows no more what happened since, so that the list must be made anew.
   */
  async watch(listed: Listed, onChange: () => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const event of this.#events(listed.version, signal)) {
          listed.version = event.object.metadata?.resourceVersion ?? listed.version;
          if (event.type === 'BOOKMARK') continue;
          if (keep(listed.objects, event.type, this.resource, event.object).isNews) onChange();
        }
      } catch (error) {
        if (error instanceof HttpRefusal && error.status === 410) return;
        if (!(error instanceof ConnectionEnded)) throw this.#explained(error);
      }
      await this.pause(REST, signal);
    }
  }

  async *#events(version: string, signal: AbortSignal): AsyncGenerator<Event> {
    const from = encodeURIComponent(version);
    const query = `watch=1&resourceVersion=${from}&timeoutSeconds=${WATCH}&allowWatchBookmarks=true`;
    const question = await this.#question(query, signal);
    const patience = { within: (WATCH + 10) * 1_000, idle: this.access.idle };
    for await (const line of this.#http.lines({ ...question, ...patience })) {
      const event = parseEvent(line);
      const { code = 0, message = '' } = event.object;
      if (event.type === 'ERROR') throw new HttpRefusal(code, this.#http.origin, message);
      yield event;
    }
  }

  /** The token is read each time: it is exchanged every hour. */
  async #question(query: string, signal: AbortSignal) {
    const { path } = this.resource;
    const token = (await accountFile(this.access.account, 'token')).trim();
    return {
      path: `${path}${path.includes('?') ? '&' : '?'}${query}`,
      headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
      signal,
    };
  }

  #explained(error: unknown): unknown {
    if (!(error instanceof HttpRefusal)) return error;
    const said = loggable(messageIn(error.reason));
    const remedy = `let this service account list and watch ${this.resource.name} (docs/guide.md, "Kubernetes")`;
    const what = `${this.#http.origin} answers ${error.status}: ${said}`;
    return new WeftError('source-failed', error.status === 403 ? `${what}; ${remedy}` : what);
  }
}

/** Failures are told as an object of kind Status. */
function messageIn(reason: string): string {
  try {
    const status: unknown = JSON.parse(reason);
    if (typeof status === 'object' && status !== null && 'message' in status) return String(status.message);
  } catch {
    // a proxy on the way said it
  }
  return reason.trim();
}

async function accountFile(directory: string, name: string): Promise<string> {
  const path = join(directory, name);
  try {
    return (await readFile(path, 'utf8')).slice(0, LARGEST_FILE);
  } catch (error) {
    const why = systemCode(error) ?? 'it cannot be read';
    throw new WeftError(
      'source-failed',
      `${path}: ${why}: the pod needs a service account with its token mounted`,
    );
  }
}

/** The namespace of the pod. */
export async function ownNamespace({ account }: Access): Promise<string> {
  return (await accountFile(account, 'namespace')).trim();
}

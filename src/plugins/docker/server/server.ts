import { once } from 'node:events';
import { mkdir, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../../../api/index.js';
import { fileError, WeftError } from '../../../errors.js';
import { listenPrivately } from '../../../net/index.js';
import { withinTime } from '../../../order.js';
import type { Method, Methods } from './protocol.js';

/** Docker waits for ever: each request is answered within this time, whatever becomes of it, in milliseconds. */
const PATIENCE = 9_500;
/** For a request to arrive. */
const ARRIVAL = 10_000;
/** For requests that are answered while the server ends. */
const FAREWELL = 1_000;
const MAX_CONNECTIONS = 1_024;

export interface PluginServerOptions {
  readonly path: string;
  readonly methods: Methods;
  /** Told of failures that are faults of ours. */
  readonly onFault: (what: string, error: unknown) => void;
  /** Default: 9.5 s. */
  readonly patience?: number;
}

/** Answers a container engine's plugin calls, HTTP and JSON on a unix socket that only root may open. */
export class PluginServer {
  readonly #options: PluginServerOptions;
  #app: App | undefined;
  /** Of the socket's file. */
  #inode: number | undefined;

  constructor(options: PluginServerOptions) {
    this.#options = options;
  }

  /** The socket is there and is ours. */
  async stands(): Promise<boolean> {
    if (this.#inode === undefined) return false;
    const found = await stat(this.#options.path).catch(() => undefined);
    return found?.ino === this.#inode;
  }

  /** Makes the socket unless it is there; what is connected already is served on. Rejects with `docker-socket-used` or `no-privilege`. */
  async listen(): Promise<void> {
    if (await this.stands()) return;
    const { path } = this.#options;
    if (await isServed(path)) {
      throw new WeftError(
        'docker-socket-used',
        `another program serves ${path}, probably a second router: one router of a host serves Docker, \`weft docker disable\` ends that`,
      );
    }
    this.#app ??= await this.#application();
    const { server } = this.#app;
    if (server.listening) server.close();
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await rm(path, { force: true });
      await listenPrivately(() => once(server.listen(path), 'listening'));
      this.#inode = (await stat(path)).ino;
    } catch (error) {
      throw fileError(`the socket ${path} cannot be made`, error);
    }
  }

  /** Lets running requests finish, then removes the socket. */
  async close(): Promise<void> {
    const app = this.#app;
    this.#app = undefined;
    this.#inode = undefined;
    if (app === undefined) return;
    const { server } = app;
    if (server.listening) {
      const closed = once(server, 'close');
      server.close();
      await Promise.race([closed, delay(FAREWELL)]);
    }
    server.closeAllConnections();
    await app.close();
  }

  /** Loading it takes a while, which only those pay who use it. */
  async #application(): Promise<App> {
    const { createApp } = await import('../../../api/index.js');
    const app = createApp();
    app.server.keepAliveTimeout = 0; // Docker keeps connections, and a race with its next request would cost it half a minute
    app.server.requestTimeout = ARRIVAL;
    app.server.headersTimeout = ARRIVAL;
    app.server.maxConnections = MAX_CONNECTIONS;
    app.removeAllContentTypeParsers();
    // Docker says nothing of the type.
    app.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, text: string | Buffer) =>
      parseJson(String(text)),
    );
    app.setErrorHandler((error, request, reply) => {
      if (!(error instanceof WeftError) && !isOfClient(error)) this.#options.onFault(request.url, error);
      void reply.status(200).send(errorAnswer(error));
    });
    app.setNotFoundHandler((request, reply) => {
      const error = new WeftError(
        'no-such-route',
        `weft has no ${request.method} ${request.url.slice(0, 128)}`,
      );
      void reply.status(404).send(errorAnswer(error));
    });
    for (const [name, method] of Object.entries(this.#options.methods)) this.#route(app, name, method);
    await app.ready();
    return app;
  }

  #route(app: App, name: string, { body, answer }: Method): void {
    const options = body === null ? {} : { schema: { body }, preValidation: refuseEmpty };
    const limit = this.#options.patience ?? PATIENCE;
    app.post(`/${name}`, options, async (request) =>
      withinTime(answer(request.body), limit, () => tooLate(name, limit)),
    );
  }
}

function tooLate(name: string, limit: number): WeftError {
  return new WeftError(
    'not-in-time',
    `${name} is not done within ${limit / 1000} s: try again, \`weft status\` says how the router is`,
  );
}

/** Docker's second attempt after a broken connection has lost what it asks for. */
async function refuseEmpty({ body }: { readonly body?: unknown }): Promise<void> {
  if (body !== undefined && body !== null) return;
  throw new WeftError(
    'bad-request',
    'weft was restarted, and Docker asked again without saying for what: do the same again',
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new WeftError('bad-request', 'the request is no JSON', { cause: error });
  }
}

/** Network and IPAM calls are refused by different keys. */
function errorAnswer(error: unknown): { Err: string; Error: string } {
  const isKnown = error instanceof WeftError || isOfClient(error);
  const text = isKnown ? error.message : 'weft failed to do this, because of a fault in it: see its log';
  return { Err: text, Error: text };
}

function isOfClient(error: unknown): error is Error {
  if (!(error instanceof Error) || !('statusCode' in error)) return false;
  return typeof error.statusCode === 'number' && error.statusCode < 500;
}

/** Somebody accepts connections there. */
function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (served: boolean) => {
      socket.destroy();
      resolve(served);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

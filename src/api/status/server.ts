import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HostPort } from '../../net/index.js';
import { type App, createApp } from '../app.js';
import { sendError } from '../errors.js';
import { guard } from './guards.js';

/** All in milliseconds: for a question to arrive, for a reader to go on reading, and for a connection to be used again. */
const ARRIVAL = 5_000;
const READING = 10_000;
const IDLE = 5_000;
const CHECK = 1_000;
const MAX_CONNECTIONS = 64;
const MAX_HEADERS = 8 * 1024;

/**
 * Something that the status address answers besides: `(app) => app.get('/events', …)`. It is guarded as everything is. A stream
 * that is silent for 10 s is taken for a reader who sleeps: send something more often, or set the time of its socket.
 */
export type StatusRoutes = (app: App) => void;

export interface StatusServerOptions {
  readonly at: HostPort;
  readonly routes: readonly StatusRoutes[];
  /** Told of failures that are faults of ours. */
  readonly onFault: (error: Error, request: string) => void;
}

export interface StatusServer {
  close(): Promise<void>;
}

/** Serves what everybody on this host may read, by HTTP. It has nothing of the control API, and changes nothing. */
export async function serveStatus({ at, routes, onFault }: StatusServerOptions): Promise<StatusServer> {
  const app = createApp({
    connectionTimeout: READING,
    keepAliveTimeout: IDLE,
    requestTimeout: ARRIVAL,
    http: { headersTimeout: ARRIVAL, connectionsCheckingInterval: CHECK, maxHeaderSize: MAX_HEADERS },
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  app.addHook('onRequest', guard);
  app.addHook('onError', async ({ method, url }, _reply, error) => {
    if (error.name !== 'WeftError' && error.statusCode === undefined) onFault(error, `${method} ${url}`);
  });
  app.setErrorHandler(sendError);
  app.setNotFoundHandler(sendPlaces);
  for (const add of routes) add(app);
  try {
    await app.listen({ host: at.host, port: at.port });
  } catch (error) {
    await app.close();
    throw error;
  }
  return { close: () => app.close() };
}

function sendPlaces({ url }: FastifyRequest, reply: FastifyReply): void {
  const message = `there is no ${url.slice(0, 128)} here: there are / (the page), /metrics, /livez, /readyz and /status`;
  void reply.status(404).send({ code: 'no-such-route', message });
}

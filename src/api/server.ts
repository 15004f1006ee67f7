import { rm } from 'node:fs/promises';
import { fileError } from '../errors.js';
import { listenPrivately } from '../net/index.js';
import { API_HEADER, PROTOCOL_VERSIONS } from '../protocol-versions.js';
import { createApp } from './app.js';
import type { RouterControl } from './control.js';
import { sendError, sendNotFound } from './errors.js';
import { registerRoutes } from './register-routes.js';

export interface ApiOptions {
  readonly socketPath: string;
  readonly router: RouterControl;
  /** Told of failures that are faults of ours. */
  readonly onFault: (error: Error, request: string) => void;
}

export interface ApiServer {
  /** Lets running requests finish, then removes the socket. */
  close(): Promise<void>;
}

/** Serves the router's API as HTTP on a unix socket that only its user may open. */
export async function serveApi({ socketPath, router, onFault }: ApiOptions): Promise<ApiServer> {
  const app = createApp();
  app.setErrorHandler(sendError);
  app.setNotFoundHandler(sendNotFound);
  app.addHook('onError', async (request, _reply, error) => {
    if (error.name !== 'WeftError' && error.statusCode === undefined) {
      onFault(error, `${request.method} ${request.url}`);
    }
  });
  app.addHook('onRequest', async (_request, reply) => {
    reply.raw.setHeader(API_HEADER, PROTOCOL_VERSIONS.api); // also of answers that go on
  });
  registerRoutes(app, router);
  let description: Promise<object> | undefined;
  app.get('/openapi.json', async () => {
    description ??= import('./openapi.js').then(({ describeApi }) => describeApi(router));
    return await description;
  });
  await rm(socketPath, { force: true }).catch((error: unknown) => {
    throw fileError(`the socket ${socketPath} cannot be made`, error);
  });
  await listenPrivately(() => app.listen({ path: socketPath }));
  return { close: () => app.close() };
}

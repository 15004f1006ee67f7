import { rm } from 'node:fs/promises';
import swagger from '@fastify/swagger';
import { fileError } from '../errors.js';
import { createApp } from './app.js';
import type { RouterControl } from './control.js';
import { sendError, sendNotFound } from './errors.js';
import { attachmentsRoutes } from './routes/attachments.js';
import { connectionsRoute } from './routes/connections.js';
import { datapathRoute } from './routes/datapath.js';
import { exposuresRoutes } from './routes/exposures.js';
import { ipamRoutes } from './routes/ipam.js';
import { namesRoutes } from './routes/names.js';
import { networksRoutes } from './routes/networks.js';
import { pathsRoutes } from './routes/paths.js';
import { peersRoute } from './routes/peers.js';
import { reportRoute } from './routes/report.js';
import { statusRoute } from './routes/status.js';
import { stopRoutes } from './routes/stop.js';
import { targetsRoutes } from './routes/targets.js';
import { tokenRoutes } from './routes/token.js';
import { trustRoutes } from './routes/trust.js';
import { versionRoute } from './routes/version.js';

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
  await app.register(swagger, {
    openapi: {
      info: { title: 'weft', description: 'One router of a weft network', version: router.version().version },
    },
  });
  await app.register(async (routes) => {
    const typed = routes.withTypeProvider() as typeof app;
    versionRoute(typed, router);
    statusRoute(typed, router);
    reportRoute(typed, router);
    peersRoute(typed, router);
    connectionsRoute(typed, router);
    pathsRoutes(typed, router);
    targetsRoutes(typed, router);
    datapathRoute(typed, router);
    networksRoutes(typed, router);
    exposuresRoutes(typed, router);
    attachmentsRoutes(typed, router);
    namesRoutes(typed, router);
    ipamRoutes(typed, router);
    tokenRoutes(typed, router);
    trustRoutes(typed, router);
    stopRoutes(typed, router);
    routes.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  });
  await rm(socketPath, { force: true }).catch((error: unknown) => {
    throw fileError(`the socket ${socketPath} cannot be made`, error);
  });
  await listenPrivately(() => app.listen({ path: socketPath }));
  return { close: () => app.close() };
}

/** The socket is created with mode 0600: there is no moment at which others could connect. */
async function listenPrivately(listen: () => Promise<unknown>): Promise<void> {
  const previous = process.umask(0o177);
  try {
    await listen();
  } finally {
    process.umask(previous);
  }
}

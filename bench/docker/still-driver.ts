import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { dirname } from 'node:path';

const ANSWERS: Readonly<Record<string, object>> = {
  '/Plugin.Activate': { Implements: ['NetworkDriver'] },
  '/NetworkDriver.GetCapabilities': { Scope: 'local', ConnectivityScope: 'local' },
};

/**
 * A network driver that says yes to everything at once, and makes no interface: what a container's start takes on its network is what Docker
 * itself takes for a network of any plugin.
 */
export async function serveStillDriver(path: string): Promise<Server> {
  await mkdir(dirname(path), { recursive: true });
  const server = createServer((request, response) => {
    request.resume();
    response.end(JSON.stringify(ANSWERS[request.url ?? ''] ?? {}));
  });
  await once(server.listen(path), 'listening');
  return server;
}

import { ask } from '../../src/cli/client.js';
import type { Host } from '../../test/lab/index.js';

/** Asks a router without the start of a command. */
export async function request<Answer>(
  host: Host,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<Answer> {
  return await ask<Answer>(host.runDirectory, method, path, body);
}

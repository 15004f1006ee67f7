import { join } from 'node:path';

/** Where the key of a network's administrator is, unless it is kept elsewhere. */
export function adminKeyPath(stateDir: string): string {
  return join(stateDir, 'admin.json');
}

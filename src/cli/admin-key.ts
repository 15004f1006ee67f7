import { resolve } from 'node:path';
import type { Command } from 'commander';
import { WeftError } from '../errors.js';

export interface AdminKeyOption {
  readonly adminKey?: string;
}

/** For commands that only the administrator may give, where a network has one. */
export function withAdminKey(command: Command): Command {
  return command.option(
    '--admin-key <file>',
    "the administrator's key, where the network has one and it is not in the state directory",
    (path: string) => resolve(path),
  );
}

/** The part of a request that proves who gives the command: the key is not kept. Rejects with `bad-admin-key`, or as reading a key does. */
export async function adminKeyOf({ adminKey: path }: AdminKeyOption): Promise<{ adminKey?: string }> {
  if (path === undefined) return {};
  const { loadKeyPair } = await import('../identity/index.js');
  const key = await loadKeyPair(path);
  if (key === undefined)
    throw new WeftError('bad-admin-key', `${path} does not exist: name the file that holds the key`);
  return { adminKey: key.secretKey.toString('hex', 0, SEED_BYTES) };
}

/** libsodium keeps the seed in front of the public key. */
const SEED_BYTES = 32;

import { WeftError } from '../../errors.js';
import {
  adminKeyPath,
  type Identity,
  identityFromSeed,
  loadKeyPair,
  type Network,
  samePublicKey,
} from '../../identity/index.js';

/** Who this router is, and where it keeps what it has. */
export interface Signing {
  readonly identity: Identity;
  readonly stateDir: string;
}

/**
 * Whose word counts in a network: this router's own, or that of the administrator, whose key is read for this once from the request
 * (the seed, in hexadecimal) or from the state directory. Rejects with `no-administrator`, `administrator-only` or `wrong-admin-key`.
 */
export async function signerIn(
  { admin }: Network,
  { identity, stateDir }: Signing,
  adminKey: string | undefined,
): Promise<Identity> {
  if (admin === undefined) {
    if (adminKey === undefined) return identity;
    throw new WeftError(
      'no-administrator',
      'this network has no administrator, every router may say this: leave --admin-key out',
    );
  }
  const path = adminKeyPath(stateDir);
  const key =
    adminKey === undefined ? await loadKeyPair(path) : identityFromSeed(Buffer.from(adminKey, 'hex'));
  if (key === undefined) {
    throw new WeftError(
      'administrator-only',
      'only the administrator of this network may say this, and its key is not on this host: run it where the key is, or name the key with --admin-key FILE',
    );
  }
  if (samePublicKey(key.publicKey, admin)) return key;
  throw new WeftError(
    'wrong-admin-key',
    `the key ${adminKey === undefined ? `in ${path}` : 'that was given'} is of another administrator than this network's (${admin.toString('hex')}): give the right one with --admin-key FILE`,
  );
}

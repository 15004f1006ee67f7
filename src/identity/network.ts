import { join } from 'node:path';
import sodium from 'sodium-native';
import { WeftError } from '../errors.js';
import { blake2b } from './hash.js';
import { type PublicKey, parsePublicKey } from './peer-id.js';
import { corruptFile, readPrivateJson, writePrivateJson } from './private-file.js';
import { boundSecret, type NetworkSecret, newSecret, parseSecret, SECRET_BYTES } from './secret.js';
import type { JoinToken } from './token.js';

export type NetworkMode = 'token' | 'password';

/** The network that this router belongs to. */
export interface Network {
  readonly mode: NetworkMode;
  /** Whose word alone counts about members and secrets; absent: every member's does. */
  readonly admin?: PublicKey;
  /** As tokens and statements carry them, newest first; `liveSecrets` are those that are proven. */
  readonly secrets: readonly [NetworkSecret, ...NetworkSecret[]];
  /** 16 hexadecimal digits, of the first secret; it stays when that is replaced. */
  readonly id: string;
  /** Counts the secrets that followed the first, since trust was reset. */
  readonly generation: number;
  /** Counts how often trust was reset: what members said before does not count. */
  readonly epoch: number;
  /** ISO 8601. */
  readonly created: string;
  /** This router made it: at first all addresses are its. */
  readonly creator: boolean;
}

/** Two secrets live while one replaces the other. */
const MAX_LIVE_SECRETS = 2;
const PASSWORD_OPSLIMIT = 3;
const PASSWORD_MEMLIMIT = 64 * 1024 * 1024;

/** A new network with a random secret, and with an administrator if one is given. */
export function newNetwork(admin?: PublicKey): Network {
  return { ...makeNetwork('token', [newSecret()], new Date().toISOString(), admin), creator: true };
}

/** What members prove to each other, newest first: we prove with the first and accept any of them. */
export function liveSecrets({ secrets, admin }: Pick<Network, 'secrets' | 'admin'>) {
  const [newest, ...older] = secrets;
  const live = (secret: NetworkSecret) => (admin === undefined ? secret : boundSecret(secret, admin));
  return [live(newest), ...older.map(live)] as const;
}

/** The network that a token joins. */
export function networkFromToken(token: JoinToken): Network {
  const admin = token.network?.admin;
  const network = makeNetwork('token', [token.secret], new Date().toISOString(), admin);
  return { ...network, ...token.network };
}

/** The network with a secret that nobody knows, in which nothing counts that was said before. */
export function withTrustReset(network: Network): Network {
  return { ...network, secrets: [newSecret()], generation: 0, epoch: network.epoch + 1 };
}

/**
 * A token, given by hand, is of a later secret than the one that is known: of a later epoch or generation, or of another one that others
 * chose at the same time.
 */
export function isLater(asked: Network, known: Network): boolean {
  if (asked.epoch !== known.epoch) return asked.epoch > known.epoch;
  if (asked.generation !== known.generation) return asked.generation > known.generation;
  return !known.secrets.some((secret) => secret.equals(asked.secrets[0]));
}

/**
 * The network after its secret of some generation became known. With `only`, older secrets are good no more; without, the one
 * before is, too.
 */
export function withSecret(
  network: Network,
  { generation, secret, only }: { generation: number; secret: NetworkSecret; only: boolean },
): Network {
  if (generation < network.generation) return network;
  const [newest, before] = network.secrets;
  if (secret.equals(newest)) {
    return { ...network, generation, secrets: only || before === undefined ? [newest] : [newest, before] };
  }
  // Another one of the same generation goes before ours: what was before ours stays.
  const older = generation === network.generation ? before : newest;
  return { ...network, generation, secrets: only || older === undefined ? [secret] : [secret, older] };
}

/** The id of a network whose first secret this is. */
function networkIdOf(secret: NetworkSecret): string {
  return blake2b(32, [Buffer.from('weft network id v1')], secret)
    .subarray(0, 8)
    .toString('hex');
}

/** The network of everybody who uses this password (Argon2id in a worker thread, about 0.2 s). Rejects with `bad-password`. */
export async function networkFromPassword(password: string): Promise<Network> {
  if (password.length === 0) {
    throw new WeftError('bad-password', 'the password is empty: give one of at least a dozen characters');
  }
  const secret = Buffer.alloc(SECRET_BYTES);
  const salt = blake2b(16, [Buffer.from('weft password salt v1')]);
  await sodium.crypto_pwhash_async(
    secret,
    Buffer.from(password.normalize('NFC')),
    salt,
    PASSWORD_OPSLIMIT,
    PASSWORD_MEMLIMIT,
    sodium.crypto_pwhash_ALG_ARGON2ID13,
  );
  return makeNetwork('password', [parseSecret(secret)], new Date().toISOString());
}

/** Reads `<stateDir>/network.json`; undefined when there is none. Rejects like `loadOrCreateIdentity`. */
export async function loadNetwork(stateDir: string): Promise<Network | undefined> {
  const path = networkPath(stateDir);
  const stored = await readPrivateJson(path);
  return stored === undefined ? undefined : parseStored(path, stored);
}

/** Writes `<stateDir>/network.json` (0600, on the disk when this resolves). */
export async function saveNetwork(stateDir: string, network: Network): Promise<void> {
  await writePrivateJson(networkPath(stateDir), {
    mode: network.mode,
    id: network.id,
    generation: network.generation,
    epoch: network.epoch,
    secrets: network.secrets.map((secret) => secret.toString('hex')),
    admin: network.admin?.toString('hex'),
    created: network.created,
    creator: network.creator,
  });
}

function networkPath(stateDir: string): string {
  return join(stateDir, 'network.json');
}

function makeNetwork(
  mode: NetworkMode,
  secrets: readonly [NetworkSecret, ...NetworkSecret[]],
  created: string,
  admin?: PublicKey,
): Network {
  const whose = admin === undefined ? {} : { admin };
  const id = networkIdOf(liveSecrets({ secrets, ...whose })[0]);
  return { mode, secrets, ...whose, id, generation: 0, epoch: 0, created, creator: false };
}

function parseStored(path: string, stored: unknown): Network {
  if (typeof stored !== 'object' || stored === null) throw corruptFile(path, 'it holds no object');
  const {
    mode,
    secrets,
    created,
    creator = false,
    id,
    generation = 0,
    epoch = 0,
    admin,
  } = stored as Record<string, unknown>;
  if (mode !== 'token' && mode !== 'password') throw corruptFile(path, 'the mode is unknown');
  if (typeof created !== 'string' || Number.isNaN(Date.parse(created))) {
    throw corruptFile(path, 'the date of creation is missing');
  }
  const parsed = parseStoredSecrets(secrets);
  if (parsed === undefined) {
    throw corruptFile(path, `there must be 1 to ${MAX_LIVE_SECRETS} secrets of 64 hexadecimal digits`);
  }
  if (!isCount(generation) || !isCount(epoch)) {
    throw corruptFile(path, 'the generation or the epoch of the secret is no number');
  }
  if (typeof creator !== 'boolean') throw corruptFile(path, 'whether this router made it is no yes or no');
  const network = {
    ...makeNetwork(mode, parsed, created, parseAdmin(path, admin)),
    generation,
    epoch,
    creator,
  };
  if (id === undefined) return network;
  if (typeof id !== 'string' || !/^[0-9a-f]{16}$/.test(id)) throw corruptFile(path, 'the id is damaged');
  return { ...network, id };
}

function parseAdmin(path: string, admin: unknown): PublicKey | undefined {
  if (admin === undefined) return undefined;
  if (typeof admin === 'string' && /^[0-9a-f]{64}$/.test(admin))
    return parsePublicKey(Buffer.from(admin, 'hex'));
  throw corruptFile(path, 'the key of the administrator is damaged');
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parseStoredSecrets(secrets: unknown): [NetworkSecret, ...NetworkSecret[]] | undefined {
  if (!Array.isArray(secrets) || secrets.length > MAX_LIVE_SECRETS) return undefined;
  const isSecret = (value: unknown): value is string =>
    typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
  if (!secrets.every(isSecret)) return undefined;
  const [newest, ...older] = secrets.map((hex) => parseSecret(Buffer.from(hex, 'hex')));
  return newest === undefined ? undefined : [newest, ...older];
}

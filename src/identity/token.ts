import ipaddr from 'ipaddr.js';
import { WeftError } from '../errors.js';
import { formatHostPort, type HostPort, parseHostPort } from '../net/index.js';
import { blake2b } from './hash.js';
import { type PublicKey, parsePublicKey } from './peer-id.js';
import { type NetworkSecret, parseSecret, SECRET_BYTES } from './secret.js';

/** Which network a token is of, when its secret alone does not tell. */
export interface TokenNetwork {
  readonly id: string;
  /** How many secrets there were before, since trust was reset. */
  readonly generation: number;
  /** How often trust was reset. */
  readonly epoch: number;
  /** The key of the administrator, if there is one. */
  readonly admin?: PublicKey;
}

/** What a join token carries. */
export interface JoinToken {
  readonly secret: NetworkSecret;
  /** When this is not the network's first secret. */
  readonly network?: TokenNetwork;
  /** Where the issuing host listens, best first, then routers that it is linked to: `host:port`; may be empty. */
  readonly addresses: readonly string[];
}

/*
 * The token (docs/protocol.md, section 5): `weft1`, then base64url without padding of
 *   length (2) | secret (32) | number of addresses (1) | addresses | checksum (4)
 * or `weft2`, with the network's id (8) and the secret's generation (4) behind the secret,
 * or `weft3`, with the epoch (4), the number of administrators (1: none or one) and its key (32) behind those,
 * where length counts what follows it, so that a token cut off by a copy is told from a mistyped one.
 */
const PREFIX = 'weft';
const FIRST = '1';
/** Of a network whose secret was replaced. */
const ROTATED = '2';
/** Of a network whose trust was reset, or that has an administrator. */
const RULED = '3';
const VERSIONS: readonly string[] = [FIRST, ROTATED, RULED];
const ID_BYTES = 8;
const NUMBER_BYTES = 4;
const KEY_BYTES = 32;
const LENGTH_BYTES = 2;
const CHECKSUM_BYTES = 4;
const CHECKSUM_LABEL = Buffer.from('weft token v1');
const MIN_BODY_BYTES = SECRET_BYTES + 1 + CHECKSUM_BYTES;
/** Addresses that a token holds at most. */
export const MAX_TOKEN_ADDRESSES = 16;
const KIND_NAME = 1;
const KIND_IPV4 = 4;
const KIND_IPV6 = 6;

/** The one-line text `weft1…`. Throws `bad-address`, also for an address with a zone, which means nothing elsewhere. */
export function encodeToken({ secret, network, addresses }: JoinToken): string {
  if (addresses.length > MAX_TOKEN_ADDRESSES) {
    throw new WeftError('bad-address', `a token holds at most ${MAX_TOKEN_ADDRESSES} addresses`);
  }
  const version = versionFor(network);
  const content = Buffer.concat([
    secret,
    network === undefined ? Buffer.alloc(0) : encodeNetwork(version, network),
    Buffer.of(addresses.length),
    ...addresses.map((address) => encodeAddress(parseHostPort(address))),
  ]);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(content.length + CHECKSUM_BYTES);
  const checked = Buffer.concat([length, content]);
  return PREFIX + version + Buffer.concat([checked, checksum(checked)]).toString('base64url');
}

/** Throws `token-prefix`, `token-version`, `token-truncated` or `token-mistyped`. */
export function parseToken(text: string): JoinToken {
  const { version, bytes } = decodeText(text.trim());
  const body = bytes.length < LENGTH_BYTES ? MIN_BODY_BYTES : bytes.readUInt16BE();
  const missing = LENGTH_BYTES + body - bytes.length;
  if (missing > 0) {
    throw new WeftError(
      'token-truncated',
      'the token is incomplete, its end is missing: copy the whole line',
    );
  }
  const checked = bytes.subarray(0, bytes.length - CHECKSUM_BYTES);
  if (missing < 0 || body < MIN_BODY_BYTES || !checksum(checked).equals(bytes.subarray(checked.length))) {
    throw mistyped('its checksum is wrong');
  }
  const content = checked.subarray(LENGTH_BYTES);
  const secret = parseSecret(content.subarray(0, SECRET_BYTES));
  const rest = content.subarray(SECRET_BYTES);
  if (version === FIRST) return { secret, addresses: decodeAddresses(rest) };
  const { network, length } = decodeNetwork(version, rest);
  return { secret, network, addresses: decodeAddresses(rest.subarray(length)) };
}

function versionFor(network: TokenNetwork | undefined): string {
  if (network === undefined) return FIRST;
  return network.epoch === 0 && network.admin === undefined ? ROTATED : RULED;
}

function encodeNetwork(version: string, { id, generation, epoch, admin }: TokenNetwork): Buffer {
  const parts = [Buffer.from(id, 'hex'), number(generation)];
  if (version === ROTATED) return Buffer.concat(parts);
  const key = admin === undefined ? [Buffer.of(0)] : [Buffer.of(1), admin];
  return Buffer.concat([...parts, number(epoch), ...key]);
}

function decodeNetwork(version: string, bytes: Buffer): { network: TokenNetwork; length: number } {
  const rotated = ID_BYTES + NUMBER_BYTES;
  if (bytes.length <= rotated) throw mistyped('it is too short');
  const network = { id: bytes.toString('hex', 0, ID_BYTES), generation: bytes.readUInt32BE(ID_BYTES) };
  if (version === ROTATED) return { network: { ...network, epoch: 0 }, length: rotated };
  const head = rotated + NUMBER_BYTES + 1;
  const hasAdmin = bytes[head - 1] === 1;
  const length = head + (hasAdmin ? KEY_BYTES : 0);
  if (bytes.length <= length || (bytes[head - 1] ?? 0) > 1) throw mistyped('it is too short');
  const epoch = bytes.readUInt32BE(rotated);
  if (!hasAdmin) return { network: { ...network, epoch }, length };
  return { network: { ...network, epoch, admin: parsePublicKey(bytes.subarray(head, length)) }, length };
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(NUMBER_BYTES);
  bytes.writeUInt32BE(value);
  return bytes;
}

function decodeText(text: string): { version: string; bytes: Buffer } {
  const parts = /^weft(\d+)(.*)$/s.exec(text);
  if (parts === null) {
    throw new WeftError('token-prefix', `this is no join token: one begins with ${PREFIX}${FIRST}`);
  }
  const [, digits = '', rest = ''] = parts;
  // The body begins with a length below 2^14, which base64url writes as a letter: digits are all version.
  if (!VERSIONS.includes(digits)) {
    throw new WeftError(
      'token-version',
      `this token has version ${digits}, this weft reads versions ${FIRST} to ${RULED}: use the same weft on both hosts`,
    );
  }
  const wrong = /[^A-Za-z0-9_-]/.exec(rest);
  if (wrong !== null) {
    throw mistyped(
      `"${wrong[0]}" at character ${PREFIX.length + digits.length + wrong.index + 1} is not part of one`,
    );
  }
  return { version: digits, bytes: Buffer.from(rest, 'base64url') };
}

function encodeAddress({ kind, host, port }: HostPort): Buffer {
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port);
  if (kind === 'name') {
    return Buffer.concat([Buffer.of(KIND_NAME, host.length), Buffer.from(host, 'latin1'), portBytes]);
  }
  if (host.includes('%')) {
    throw new WeftError(
      'bad-address',
      `${host} is only valid on this link: give an address that others can reach`,
    );
  }
  const bytes = ipaddr.parse(host).toByteArray();
  return Buffer.concat([Buffer.of(kind === 'ipv4' ? KIND_IPV4 : KIND_IPV6), Buffer.from(bytes), portBytes]);
}

function decodeAddresses(bytes: Buffer): string[] {
  const addresses: string[] = [];
  let offset = 1;
  while (offset < bytes.length) {
    const { hostPort, next } = decodeAddress(bytes, offset);
    addresses.push(formatHostPort(hostPort));
    offset = next;
  }
  if (addresses.length !== bytes[0]) throw mistyped('its list of addresses is wrong');
  return addresses;
}

function decodeAddress(bytes: Buffer, offset: number): { hostPort: HostPort; next: number } {
  const kind = bytes[offset];
  const length = { [KIND_NAME]: bytes[offset + 1] ?? 0, [KIND_IPV4]: 4, [KIND_IPV6]: 16 }[kind ?? 0] ?? 0;
  const start = offset + (kind === KIND_NAME ? 2 : 1);
  const end = start + length;
  if (length === 0 || end + 2 > bytes.length) throw mistyped('its list of addresses is wrong');
  const raw = bytes.subarray(start, end);
  const port = bytes.readUInt16BE(end);
  const host = kind === KIND_NAME ? raw.toString('latin1') : ipaddr.fromByteArray([...raw]).toString();
  return {
    hostPort: parseHostPort(kind === KIND_IPV6 ? `[${host}]:${port}` : `${host}:${port}`),
    next: end + 2,
  };
}

function checksum(bytes: Uint8Array): Buffer {
  return blake2b(32, [CHECKSUM_LABEL, bytes]).subarray(0, CHECKSUM_BYTES);
}

function mistyped(why: string): WeftError {
  return new WeftError('token-mistyped', `the token is mistyped: ${why}; copy the whole line again`);
}

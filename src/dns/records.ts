import type { Encoder } from 'compact-encoding';
import { boundedBytes, boundedList } from '../codec.js';
import { WeftError } from '../errors.js';
import { checkName } from './name.js';

/** A name of a container, as its host publishes it: docs/protocol.md, "Names". */
export interface NameRecord {
  /** Number of the Ethernet segment on which it is answered. */
  readonly network: number;
  /** Below the domain, in lower case: `web`, `web.shop`. */
  readonly name: string;
  /** Whose name it is, on its host. */
  readonly container: string;
  /** 4 or 16 bytes each; none twice. */
  readonly addresses: readonly Uint8Array[];
}

export type NameKey = Omit<NameRecord, 'addresses'>;

/** Maximum number of addresses that one container has under one name. */
export const MAX_ADDRESSES = 256;
const MAX_CONTAINER_BYTES = 100;
const KEY = /^(0|[1-9]\d{0,4}) (\S+) (.+)$/s;

/** The value of a record in the channel `names`. */
export const nameAddresses: Encoder<readonly Uint8Array[]> = boundedList(boundedBytes(16), MAX_ADDRESSES);

/** The key of a record in the channel `names`. Throws `bad-name` when the container's own name is too long or unprintable. */
export function encodeKey({ network, name, container }: NameKey): string {
  const printable = /^\P{Cc}+$/u.test(container);
  if (!printable || Buffer.byteLength(container) > MAX_CONTAINER_BYTES) {
    throw new WeftError(
      'bad-name',
      `"${container}" cannot have names: a container's own may have ${MAX_CONTAINER_BYTES} bytes`,
    );
  }
  return `${network} ${name} ${container}`;
}

/** Throws `bad-message` and `bad-name`. */
export function decodeKey(key: string): NameKey {
  const [, network, name = '', container = ''] = KEY.exec(key) ?? [];
  if (network === undefined || Number(network) > 0xffff) throw malformed('its key is not one');
  checkName(name);
  const decoded = { network: Number(network), name, container };
  encodeKey(decoded);
  return decoded;
}

/** Refuses what no router publishes. Throws `bad-message` and `bad-name`. */
export function checkNameRecord(key: string, addresses: readonly Uint8Array[]): void {
  decodeKey(key);
  const distinct = new Set(addresses.map((address) => Buffer.from(address).toString('latin1')));
  if (addresses.length === 0 || distinct.size < addresses.length) throw malformed('its addresses repeat');
  if (addresses.some(({ length }) => length !== 4 && length !== 16)) throw malformed('an address is none');
}

function malformed(why: string): WeftError {
  return new WeftError('bad-message', `the record of a name cannot be used: ${why}`);
}

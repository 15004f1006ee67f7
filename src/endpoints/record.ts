import c, { type Encoder } from 'compact-encoding';
import ipaddr from 'ipaddr.js';
import { boundedBytes, boundedList, boundedString, mapped, struct } from '../codec.js';
import { WeftError } from '../errors.js';
import { bytesOf, LABEL_LIMITS, type Labels, labelsFlaw, sortedLabels } from '../labels.js';

const MAX_ADDRESSES = 256;
const KEY = /^(0|[1-9]\d{0,4})\/([0-9a-f]{2}(?::[0-9a-f]{2}){5}|groups)$/;
const MAX_NETWORK = 65_535;

/** What a router publishes under one key: of a container's interface its addresses, of a segment the groups that somebody there wants. */
export interface EndpointRecord {
  /** Of a MAC that several routers announce, the one with the highest counts: whoever takes it over goes beyond the others. 0 for groups. */
  readonly mobility: number;
  /** IPv4 (4 bytes) and IPv6 (16 bytes). */
  readonly addresses: readonly Uint8Array[];
  /** Of the container; none for groups. */
  readonly labels: Labels;
}

const labelList: Encoder<Labels> = mapped(
  boundedList(
    struct<{ key: string; value: string }>({
      key: boundedString(LABEL_LIMITS.keyBytes),
      value: boundedString(LABEL_LIMITS.valueBytes),
    }),
    LABEL_LIMITS.count,
  ),
  (labels) => sortedLabels(labels).map(([key, value]) => ({ key, value })),
  (list) => Object.fromEntries(list.map(({ key, value }) => [key, value])),
);

/** At the end of a record; where there are none, nothing at all. */
const trailingLabels: Encoder<Labels> = {
  preencode: (state, labels) => {
    if (isLabelled(labels)) labelList.preencode(state, labels);
  },
  encode: (state, labels) => {
    if (isLabelled(labels)) labelList.encode(state, labels);
  },
  decode: (state) => (state.start < state.end ? labelList.decode(state) : {}),
};

function isLabelled(labels: Labels): boolean {
  return Object.keys(labels).length > 0;
}

export const endpointRecord: Encoder<EndpointRecord> = struct<EndpointRecord>({
  mobility: c.uint,
  addresses: boundedList(boundedBytes(16), MAX_ADDRESSES),
  labels: trailingLabels,
});

/**
 * What one router announces takes 8 MiB of memory at most, in which an interface counts 512 bytes and its record, and each of its addresses 256 bytes for its
 * places in the tables of daemon and forwarder: about 9,800 interfaces of one address, or 30,000 addresses. A label counts 64 bytes, and its own bytes
 * twice more, as a text of other than Latin letters takes them: an interface with all that it may have counts less than 16 KiB. All together take
 * 128 MiB. A router itself announces a quarter of its limit at most.
 */
export const ENDPOINT_LIMITS = { owner: 8 * 1024 * 1024, total: 128 * 1024 * 1024 };
const ADDRESS_BYTES = 256;
const LABEL_BYTES = 64;

/** Bytes of memory that the addresses and labels of a record take in the tables that are made from them. */
export function weightOf({ addresses, labels }: EndpointRecord): number {
  const entries = Object.entries(labels);
  return ADDRESS_BYTES * addresses.length + LABEL_BYTES * entries.length + 2 * bytesOf(entries);
}

/** What a key names: a MAC on a segment, or (without MAC) the groups of that segment. */
export interface EndpointKey {
  readonly network: number;
  readonly mac: string | undefined;
}

export function endpointKey(network: number, mac: string): string {
  return `${network}/${mac}`;
}

export function groupsKey(network: number): string {
  return `${network}/groups`;
}

/** Undefined for what is no key. */
export function parseKey(key: string): EndpointKey | undefined {
  const [, number, what] = KEY.exec(key) ?? [];
  const network = Number(number);
  if (what === undefined || network > MAX_NETWORK) return undefined;
  return { network, mac: what === 'groups' ? undefined : what };
}

/** Throws `bad-endpoint` for a record that no router makes. */
export function checkRecord(key: string, { addresses, labels }: EndpointRecord): void {
  const parsed = parseKey(key);
  if (parsed === undefined) throw new WeftError('bad-endpoint', `"${key}" names no endpoint`);
  const group = parsed.mac !== undefined && Number.parseInt(parsed.mac.slice(0, 2), 16) % 2 === 1;
  if (group) throw new WeftError('bad-endpoint', `"${key}" is a group address`);
  if (addresses.some(({ length }) => length !== 4 && length !== 16)) {
    throw new WeftError('bad-endpoint', `an address of "${key}" has neither 4 nor 16 bytes`);
  }
  const flaw = labelsFlaw(labels);
  if (flaw !== undefined) throw new WeftError('bad-endpoint', `of "${key}": ${flaw}`);
  if (parsed.mac === undefined && isLabelled(labels))
    throw new WeftError('bad-endpoint', `"${key}" has labels, though it is no container's`);
}

/** `10.32.0.1` or `10.32.0.1/12` as its 4 or 16 bytes. */
export function addressBytes(address: string): Uint8Array {
  const [host = ''] = address.split('/');
  return Uint8Array.from(ipaddr.parse(host).toByteArray());
}

export function addressText(bytes: Uint8Array): string {
  return ipaddr.fromByteArray([...bytes]).toString();
}

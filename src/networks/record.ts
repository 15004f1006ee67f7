import c, { type Encoder } from 'compact-encoding';
import { boundedList, boundedString, struct } from '../codec.js';

export const MAX_SUBNETS = 8;
const MAX_SUBNET_TEXT = 43;
const STATES = ['removed', 'idle', 'used'] as const;

/** What a router says about a network: it is gone, it exists, or containers of that router are on it. */
export type NetworkState = (typeof STATES)[number];

/** What one router says about one network; its name is the key of the record. */
export interface NetworkRecord {
  /** Unix time in milliseconds at which it was made. A removal is one of all that were made until then. */
  readonly createdAt: number;
  /** The number that its maker chose: 1 to 65,535. */
  readonly number: number;
  readonly state: NetworkState;
  /** Canonical, such as `10.40.0.0/16`. */
  readonly subnets: readonly string[];
}

const state: Encoder<NetworkState> = {
  preencode: (at) => c.uint8.preencode(at, 0),
  encode: (at, value) => c.uint8.encode(at, STATES.indexOf(value)),
  decode(at) {
    const value = STATES[c.uint8.decode(at)];
    if (value === undefined) throw new RangeError('no such state of a network');
    return value;
  },
};

const versioned = struct<NetworkRecord & { format: number }>({
  format: c.uint,
  createdAt: c.uint,
  number: c.uint16,
  state,
  subnets: boundedList(boundedString(MAX_SUBNET_TEXT), MAX_SUBNETS),
});

/** How a record travels. */
export const networkRecord: Encoder<NetworkRecord> = {
  preencode: (at, value) => versioned.preencode(at, { format: 1, ...value }),
  encode: (at, value) => versioned.encode(at, { format: 1, ...value }),
  decode(at) {
    const { format, ...value } = versioned.decode(at);
    if (format !== 1) throw new RangeError('a record of a network in another format');
    return value;
  },
};

import { type NetworkPolicy, type PolicyObject, parsePolicy } from '../objects/index.js';
import type { PolicyRecord } from './record.js';

/** Maximum number of policies, present and removed, that are remembered. */
const MAX_RECORDS = 4_096;
/** For so long a removal is remembered, in milliseconds: who was away for longer brings back what it knew. */
const REMEMBERED_FOR = 30 * 24 * 3_600_000;

interface Held {
  readonly record: PolicyRecord;
  /** Undefined: it was removed. */
  readonly policy: NetworkPolicy | undefined;
  readonly object: PolicyObject | undefined;
}

/**
 * The policies that are in force: of each the record with the highest version that anybody ever published. So all routers come to the same, in whichever order
 * records come, and a policy outlives who applied it. Pure.
 */
export class PolicyBook {
  readonly #held = new Map<string, Held>();
  /** How many of them are in force. */
  #present = 0;

  /** Takes note of a record that was checked; true when it is the newest of its key. */
  put(key: string, record: PolicyRecord): boolean {
    const known = this.#held.get(key);
    if (known === undefined ? this.#held.size >= MAX_RECORDS : !precedes(known.record, record)) return false;
    const object = record.text === undefined ? undefined : (JSON.parse(record.text) as PolicyObject);
    const policy = object === undefined ? undefined : parsePolicy(object, key);
    this.#present += Number(policy !== undefined) - Number(known?.policy !== undefined);
    this.#held.set(key, { record, object, policy });
    return true;
  }

  /** The newest record of a key. */
  get(key: string): PolicyRecord | undefined {
    return this.#held.get(key)?.record;
  }

  /** Nothing is in force. */
  get isEmpty(): boolean {
    return this.#present === 0;
  }

  policies(): NetworkPolicy[] {
    return [...this.#held.values()].flatMap(({ policy }) => policy ?? []);
  }

  /** As they were applied, in the order of their names. */
  objects(): PolicyObject[] {
    const keys = [...this.#held.keys()].sort();
    return keys.flatMap((key) => this.#held.get(key)?.object ?? []);
  }

  /** The newest record of each key, without removals from too long ago. */
  *records(now: number): Iterable<readonly [key: string, record: PolicyRecord]> {
    for (const [key, { record }] of this.#held) {
      if (record.text === undefined && now - record.version > REMEMBERED_FOR) this.#held.delete(key);
      else yield [key, record];
    }
  }

  /** For a change of a key that is to count more than all that is known of it. */
  nextVersion(key: string, now: number): number {
    return Math.max(now, (this.get(key)?.version ?? -1) + 1);
  }
}

/** Of two with one version that which all prefer: a removal, else the greater text. */
function precedes(a: PolicyRecord, b: PolicyRecord): boolean {
  if (a.version !== b.version) return a.version < b.version;
  return a.text !== undefined && (b.text === undefined || a.text < b.text);
}

import c, { type Encoder } from 'compact-encoding';
import { boundedList, boundedString, mapped, struct } from '../../codec.js';
import { messageOf, WeftError } from '../../errors.js';
import { cleanPolicy, type PolicyObject, policyKey } from '../objects/index.js';

/** Maximum length of a policy as JSON, in bytes. */
export const MAX_POLICY_BYTES = 12 * 1024;
/** So that a later version can always be named. */
const MAX_VERSION = 2 ** 52;

/** What is said about one policy, which the key of the record names: what it says since this version, or that it is gone. */
export interface PolicyRecord {
  /** Unix time in milliseconds at which it was applied or removed, or more. The highest of all counts. */
  readonly version: number;
  /** JSON of the object; undefined: it was removed. */
  readonly text: string | undefined;
}

/** How a record travels. */
export const policyRecord: Encoder<PolicyRecord> = mapped(
  struct<{ format: number; version: number; text: readonly string[] }>({
    format: c.uint,
    version: c.uint,
    text: boundedList(boundedString(MAX_POLICY_BYTES), 1),
  }),
  ({ version, text }) => ({ format: 1, version, text: text === undefined ? [] : [text] }),
  ({ format, version, text: [text] }) => {
    if (format !== 1) throw new RangeError('a record of a policy in another format');
    return { version, text };
  },
);

/** Throws `bad-policy-record` for a record that no router makes. */
export function checkPolicyRecord(key: string, { version, text }: PolicyRecord): void {
  if (version > MAX_VERSION)
    throw new WeftError('bad-policy-record', `the version of ${key} is out of range`);
  if (text === undefined) return;
  const object = readRecord(key, text);
  if (keyOf(object) !== key || JSON.stringify(object) !== text)
    throw new WeftError('bad-policy-record', `the policy ${key} is not in canonical text`);
}

/** By which a record names its policy. */
export function keyOf({ metadata }: PolicyObject): string {
  return policyKey({ namespace: metadata.namespace ?? '', name: metadata.name });
}

function readRecord(key: string, text: string): PolicyObject {
  try {
    return cleanPolicy(JSON.parse(text), key);
  } catch (error) {
    throw new WeftError('bad-policy-record', messageOf(error), { cause: error });
  }
}

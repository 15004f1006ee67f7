import type { RecordReader } from '../../src/mesh/membership/index.js';
import {
  checkSignature,
  decodeMemberDelta,
  type MemberDelta,
  type MemberRecord,
} from '../../src/mesh/membership/index.js';

/** Reads and verifies each record once for all simulated routers: a real router sees each once, too. */
export class SharedReader implements RecordReader {
  readonly #read = new WeakMap<Uint8Array, MemberDelta>();
  readonly #byContent = new Map<string, MemberDelta>();
  readonly #genuine = new WeakSet<MemberRecord>();

  read(delta: Uint8Array): MemberDelta {
    const known = this.#read.get(delta);
    if (known !== undefined) return known;
    const content = Buffer.from(delta).toString('latin1');
    const read = this.#byContent.get(content) ?? decodeMemberDelta(delta);
    this.#byContent.set(content, read);
    this.#read.set(delta, read);
    return read;
  }

  check(record: MemberRecord): void {
    if (this.#genuine.has(record)) return;
    checkSignature(record);
    this.#genuine.add(record);
  }
}

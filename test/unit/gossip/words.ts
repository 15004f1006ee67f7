import { WeftError } from '../../../src/errors.js';
import type { GossipChannel, OpenChannel } from '../../../src/gossip/index.js';

/** The simplest CRDT: a set of words that only grows. */
export class Words implements GossipChannel {
  readonly name = 'words';
  readonly all = new Set<string>();
  readonly #fresh: string[] = [];

  add(word: string, open?: OpenChannel): void {
    this.all.add(word);
    this.#fresh.push(word);
    open?.changed();
  }

  takeDeltas(): Buffer[] {
    return this.#fresh.splice(0).map((word) => Buffer.from(word));
  }

  merge(delta: Uint8Array): Uint8Array | null {
    const word = Buffer.from(delta).toString();
    if (word === 'bad') throw new WeftError('bad-message', 'not a word');
    if (word === 'worse') throw new TypeError('a mistake in the channel');
    if (this.all.has(word)) return null;
    this.all.add(word);
    return delta;
  }

  digest(): Buffer {
    return Buffer.from([...this.all].sort().join(' '));
  }

  answer(digest: Uint8Array): Buffer[] {
    const theirs = new Set(Buffer.from(digest).toString().split(' '));
    return [...this.all].filter((word) => !theirs.has(word)).map((word) => Buffer.from(word));
  }
}

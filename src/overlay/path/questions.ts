import { randomInt } from 'node:crypto';
import type { PeerId } from '../../identity/index.js';
import type { PathMessage } from './messages.js';

const IDS = 2 ** 32;

/** Of a question: nobody but the router that is asked knows it. */
export function newQuestionId(): number {
  return randomInt(IDS);
}

/** Questions to other routers that wait for answers. An answer counts with the question's id, and from the router that was asked. */
export class Questions {
  readonly #waiting = new Map<string, (answer: PathMessage) => void>();

  /** `take` gets what the peer answers. Returns how to wait no longer. */
  wait(peer: PeerId, id: number, take: (answer: PathMessage) => void): () => void {
    const key = keyOf(peer, id);
    this.#waiting.set(key, take);
    return () => this.#waiting.delete(key);
  }

  /** An answer that nobody waits for is dropped. */
  receive(from: PeerId, answer: PathMessage): void {
    this.#waiting.get(keyOf(from, answer.id))?.(answer);
  }
}

function keyOf(peer: PeerId, id: number): string {
  return `${peer} ${id}`;
}

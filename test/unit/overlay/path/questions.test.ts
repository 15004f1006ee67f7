import { describe, expect, test } from 'vitest';
import { type PeerId, peerIdFromBytes } from '../../../../src/identity/index.js';
import type { PathMessage } from '../../../../src/overlay/path/messages.js';
import { newQuestionId, Questions } from '../../../../src/overlay/path/questions.js';

const [asked, other] = [1, 2].map((byte) => peerIdFromBytes(Buffer.alloc(8, byte))) as [PeerId, PeerId];

function answer(id: number): PathMessage {
  return { kind: 4, id, peer: [], endpoints: [], ticket: Buffer.alloc(0) };
}

describe('the answer to a question', () => {
  test('is taken from the router that was asked, and from no other', () => {
    const questions = new Questions();
    const taken: PathMessage[] = [];
    const id = newQuestionId();
    questions.wait(asked, id, (message) => taken.push(message));
    questions.receive(other, answer(id));
    questions.receive(asked, answer(id ^ 1));
    expect(taken).toEqual([]);
    questions.receive(asked, answer(id));
    expect(taken).toEqual([answer(id)]);
  });

  test('is dropped when nobody waits any more', () => {
    const questions = new Questions();
    const taken: PathMessage[] = [];
    questions.wait(asked, 7, (message) => taken.push(message))();
    questions.receive(asked, answer(7));
    expect(taken).toEqual([]);
  });

  test('needs an id that does not follow from the one before', () => {
    const ids = Array.from({ length: 100 }, newQuestionId);
    const steps = new Set(ids.slice(1).map((id, i) => id - (ids[i] ?? 0)));
    expect(steps.size).toBeGreaterThan(90);
  });
});

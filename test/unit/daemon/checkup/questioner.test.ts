import { describe, expect, test } from 'vitest';
import { decodeExact } from '../../../../src/codec.js';
import { ANSWER, type CheckMessage, checkMessage, FOUND } from '../../../../src/daemon/checkup/messages.js';
import { Questioner } from '../../../../src/daemon/checkup/questioner.js';
import { WeftError } from '../../../../src/errors.js';
import { type PeerId, parsePeerId } from '../../../../src/identity/index.js';
import { ManualClock } from '../../events/manual-clock.js';

const PEER = parsePeerId('00000000000000aa');
const LIAR = parsePeerId('00000000000000bb');
const ALL = FOUND.probe | FOUND.fullProbe | FOUND.hail | FOUND.name;

/** A router that asks; `answer` says what comes back upon its n-th question, and from whom. */
function asking(
  answer: (n: number, question: CheckMessage) => { from: PeerId; answer: CheckMessage } | undefined,
  { sampleName = (): string | undefined => '0 web abc' } = {},
) {
  const clock = new ManualClock();
  const questions: CheckMessage[] = [];
  const questioner: Questioner = new Questioner(
    {
      mtu: 1_418,
      send: (_, bytes) => {
        const question = decodeExact(checkMessage, bytes);
        questions.push(question);
        const back = answer(questions.length, question);
        if (back !== undefined) queueMicrotask(() => questioner.receive(back.from, back.answer));
        return true;
      },
      probe: async () => true,
      sampleName,
      answersName: (_, record) => {
        if (record === 'nonsense') throw new WeftError('bad-message', 'it is none');
        return record === '0 db def';
      },
      hail: async () => true,
      random: () => questions.length / 10,
    },
    clock,
  );
  return { clock, questions, questioner };
}

const told = ({ id }: CheckMessage, { from = PEER, found = ALL, name = ['0 db def'] } = {}) => ({
  from,
  answer: { kind: ANSWER, id, mtu: 1_418, name, found },
});

/** Lets time pass until the answer is there. */
async function passing<T>(clock: ManualClock, result: Promise<T>): Promise<T> {
  let isOver = false;
  void result.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.pass(100);
  }
  return await result;
}

describe('a router that checks a peer', () => {
  test('is done at once where all works', async () => {
    const { clock, questions, questioner } = asking((_, question) => told(question));
    const findings = await passing(clock, questioner.ask(PEER, 1_418, 30_000));
    expect(Object.values(findings)).not.toContain(false);
    expect(questions).toHaveLength(1);
  });

  test('tries three times before it calls anything lost, with a number of its own each time', async () => {
    const { clock, questions, questioner } = asking((n, question) => (n < 3 ? undefined : told(question)));
    const findings = await passing(clock, questioner.ask(PEER, 1_418, 30_000));
    expect(Object.values(findings)).not.toContain(false);
    expect(new Set(questions.map(({ id }) => id)).size).toBe(3);
  });

  test('believes nobody else, and no answer to another question', async () => {
    const { clock, questioner } = asking((n, question) =>
      n === 1 ? told(question, { from: LIAR }) : told({ ...question, id: question.id + 1 }),
    );
    expect(await passing(clock, questioner.ask(PEER, 1_418, 30_000))).toMatchObject({
      control: false,
      back: false,
      heard: false,
      ourName: null,
    });
  });

  test('ends in time, however little is answered', async () => {
    const { clock, questioner } = asking(() => undefined);
    await passing(clock, questioner.ask(PEER, 1_418, 1_000));
    expect(clock.now()).toBeLessThanOrEqual(1_300);
  });

  test('tells names that are not known from names that nobody has, and takes no nonsense for one', async () => {
    const nameless = asking((_, question) => told(question, { name: [] }), { sampleName: () => undefined });
    expect(await passing(nameless.clock, nameless.questioner.ask(PEER, 1_418, 30_000))).toMatchObject({
      ourName: null,
      theirName: null,
    });
    const odd = asking((_, question) => told(question, { name: ['nonsense'], found: ALL & ~FOUND.name }));
    expect(await passing(odd.clock, odd.questioner.ask(PEER, 1_418, 30_000))).toMatchObject({
      ourName: false,
      theirName: false,
    });
  });
});

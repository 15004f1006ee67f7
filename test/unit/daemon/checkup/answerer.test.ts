import { describe, expect, test } from 'vitest';
import { decodeExact } from '../../../../src/codec.js';
import { Answerer } from '../../../../src/daemon/checkup/answerer.js';
import { Hails } from '../../../../src/daemon/checkup/hails.js';
import {
  ANSWER,
  type CheckMessage,
  checkMessage,
  encodeCheckMessage,
  FOUND,
  QUESTION,
} from '../../../../src/daemon/checkup/messages.js';
import { type PeerId, parsePeerId } from '../../../../src/identity/index.js';
import { ManualClock } from '../../events/manual-clock.js';
import { bytesOf, protocolVectors } from '../../identity/vectors.js';

const idOf = (number: number): PeerId => parsePeerId(number.toString(16).padStart(16, '0'));
const [ASKER, OTHER] = [idOf(0xa), idOf(0xb)];
const question: CheckMessage = { kind: QUESTION, id: 7, mtu: 1400, name: ['0 web abc'], found: 0 };

/** A router that is asked, whose probes are answered up to a size. */
function asked({ carries = 9_000, probes = async () => true } = {}) {
  const clock = new ManualClock();
  const hails = new Hails(clock);
  const sent: { to: PeerId; message: CheckMessage }[] = [];
  const probed: { peer: PeerId; mtu: number | undefined }[] = [];
  const ports = {
    mtu: 1_418,
    send: (to: PeerId, bytes: Uint8Array) => {
      sent.push({ to, message: decodeExact(checkMessage, bytes) });
      return true;
    },
    probe: async (peer: PeerId, mtu?: number) => {
      probed.push({ peer, mtu });
      return (await probes()) && (mtu ?? 0) <= carries;
    },
    sampleName: () => '0 db def',
    answersName: (peer: PeerId, record: string) => peer === ASKER && record === '0 web abc',
  };
  return { clock, hails, sent, probed, answerer: new Answerer(ports, hails, clock) };
}

describe('a router that is asked by others who check', () => {
  test('tells what it found, and a name of its own', async () => {
    const { hails, sent, probed, answerer } = asked({ carries: 1_300 });
    hails.heard(ASKER, 7);
    await answerer.answer(ASKER, question);
    const found = FOUND.probe | FOUND.hail | FOUND.name;
    expect(sent).toEqual([
      { to: ASKER, message: { kind: ANSWER, id: 7, mtu: 1_418, name: ['0 db def'], found } },
    ]);
    expect(probed).toEqual([
      { peer: ASKER, mtu: undefined },
      { peer: ASKER, mtu: 1_400 },
    ]);
  });

  test('waits a moment for a hail, and takes that of nobody else', async () => {
    const { clock, hails, sent, answerer } = asked();
    hails.heard(OTHER, 7);
    hails.heard(ASKER, 6);
    const answering = answerer.answer(ASKER, question);
    hails.heard(ASKER, 6);
    hails.heard(OTHER, 7);
    clock.pass(500);
    await answering;
    expect((sent[0]?.message.found ?? 0) & FOUND.hail).toBe(0);
    clock.pass(1_000);
    const again = answerer.answer(ASKER, question);
    hails.heard(ASKER, 7);
    await again;
    expect(sent[1]?.message.found).toBe(FOUND.probe | FOUND.fullProbe | FOUND.hail | FOUND.name);
  });

  test('answers one that asks without end once a second, with two probes, and others as ever', async () => {
    const { clock, hails, sent, probed, answerer } = asked();
    for (const peer of [ASKER, OTHER]) hails.heard(peer, 7);
    for (let i = 0; i < 1_000; i += 1) await answerer.answer(ASKER, question);
    expect({ answers: sent.length, probes: probed.length }).toEqual({ answers: 1, probes: 2 });
    await answerer.answer(OTHER, question);
    clock.pass(1_000);
    await answerer.answer(ASKER, question);
    expect(sent.map(({ to }) => to)).toEqual([ASKER, OTHER, ASKER]);
  });

  test('works for 64 at a time, however many ask', async () => {
    let finish = (_: boolean) => {};
    const pending = new Promise<boolean>((resolve) => {
      finish = resolve;
    });
    const { clock, hails, sent, probed, answerer } = asked({ probes: () => pending });
    const all = Array.from({ length: 1_000 }, (_, i) =>
      answerer.answer(idOf(i + 1), { ...question, name: [] }),
    );
    expect(probed).toHaveLength(128);
    clock.pass(500);
    finish(true);
    await Promise.all(all);
    expect(sent).toHaveLength(64);
    const next = idOf(2_000);
    hails.heard(next, 7);
    await answerer.answer(next, { ...question, name: [] });
    expect(sent.at(-1)?.to).toBe(next);
  });

  test('sends no larger probes than its own containers would, whatever is asked', async () => {
    const { hails, probed, answerer } = asked();
    hails.heard(ASKER, 7);
    await answerer.answer(ASKER, { ...question, mtu: 65_535 });
    expect(probed.map(({ mtu }) => mtu)).toEqual([undefined, 1_418]);
  });

  test('remembers the hails of 4,096 routers, those that came last', async () => {
    const { clock, hails, sent, answerer } = asked();
    for (let i = 0; i < 5_000; i += 1) hails.heard(idOf(i + 1), 7);
    const toldBy = async (peer: PeerId) => {
      const answering = answerer.answer(peer, { ...question, name: [] });
      clock.pass(500);
      await answering;
      return ((sent.at(-1)?.message.found ?? 0) & FOUND.hail) !== 0;
    };
    expect([await toldBy(idOf(1)), await toldBy(idOf(5_000))]).toEqual([false, true]);
  });

  test('answers in no more bytes than any name of its own takes', () => {
    const message = { kind: ANSWER, id: 7, mtu: 1_418, name: ['x'.repeat(400)], found: 15 };
    expect(encodeCheckMessage(message).length).toBeLessThan(420);
    expect(() => encodeCheckMessage({ ...message, name: ['x'.repeat(401)] })).toThrow(RangeError);
    expect(() => encodeCheckMessage({ ...message, name: ['x', 'y'] })).toThrow(RangeError);
  });
});

test('messages are encoded as the vectors of docs/protocol.md say', () => {
  const vectors = protocolVectors('14');
  expect(decodeExact(checkMessage, bytesOf(vectors('question')))).toEqual({
    ...question,
    mtu: 1_418,
  });
  const answer: CheckMessage = { kind: ANSWER, id: 7, mtu: 1_418, name: [], found: 15 };
  expect(decodeExact(checkMessage, bytesOf(vectors('answer')))).toEqual(answer);
});

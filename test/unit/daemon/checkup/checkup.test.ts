import { EventEmitter, once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeExact } from '../../../../src/codec.js';
import { Checkup, type CheckupOptions } from '../../../../src/daemon/checkup/index.js';
import {
  ANSWER,
  CHECK_CHANNEL,
  type CheckMessage,
  checkMessage,
  encodeCheckMessage,
  FOUND,
  QUESTION,
} from '../../../../src/daemon/checkup/messages.js';
import { WeftError } from '../../../../src/errors.js';
import { type PeerId, parsePeerId } from '../../../../src/identity/index.js';

const [PEER, LIAR] = [0xa, 0xb].map((number) => parsePeerId(number.toString(16).padStart(16, '0'))) as [
  PeerId,
  PeerId,
];
const question: CheckMessage = { kind: QUESTION, id: 7, mtu: 1_400, name: [], found: 0 };

/** One router's side, whose probes are answered; what others send is said by the test. */
class Side {
  readonly events = new EventEmitter();
  readonly sent: { to: PeerId; message: CheckMessage }[] = [];
  readonly probed: (number | undefined)[] = [];
  /** Whom it knows. */
  members: PeerId[] = [PEER];
  onQuestion: (to: PeerId, question: CheckMessage) => void = () => {};
  readonly checkup: Checkup;

  constructor() {
    const { events } = this;
    const listen = {
      on: events.on.bind(events),
      off: events.off.bind(events),
    };
    const options = {
      mesh: {
        ...listen,
        members: () =>
          this.members.map((peer) => ({
            peer,
            nickname: peer,
            mtu: 1_400,
            self: false,
            left: false,
            down: false,
          })),
        send: (to: PeerId, _channel: string, bytes: Uint8Array) => {
          const message = decodeExact(checkMessage, bytes);
          this.sent.push({ to, message });
          events.emit('sent');
          if (message.kind === QUESTION) queueMicrotask(() => this.onQuestion(to, message));
          return true;
        },
      },
      overlay: {
        connections: async () => [],
        ping: async (_peer: PeerId, mtu?: number) => {
          this.probed.push(mtu);
          return 1;
        },
      },
      forwarder: { ...listen, hail: async () => true },
      names: {
        sample: () => undefined,
        answers: () => {
          throw new WeftError('bad-message', 'it is no name');
        },
      },
      mtu: 65_535,
    } as unknown as CheckupOptions;
    this.checkup = new Checkup(options);
    this.checkup.start();
  }

  receive(from: PeerId, message: CheckMessage | Buffer, channel = CHECK_CHANNEL): void {
    const bytes = Buffer.isBuffer(message) ? message : encodeCheckMessage(message);
    this.events.emit('message', from, channel, bytes);
  }

  hear(peer: PeerId, number: number, network = 0): void {
    this.events.emit('event', { name: 'hail', fields: { peer, network, number } });
  }

  /** What it answered, once it did. */
  async answered(count = 1): Promise<CheckMessage[]> {
    const answers = () => this.sent.map(({ message }) => message).filter(({ kind }) => kind === ANSWER);
    while (answers().length < count) await once(this.events, 'sent');
    return answers();
  }
}

describe('a router whose members check and lie', () => {
  let side: Side;
  beforeEach(() => {
    side = new Side();
  });
  afterEach(() => side.checkup.stop());

  test('drops what is no message of a check, and goes on', async () => {
    const whole = encodeCheckMessage(question);
    for (const bytes of [Buffer.alloc(0), whole.subarray(1), Buffer.concat([whole, Buffer.alloc(1)])])
      side.receive(PEER, bytes);
    side.receive(PEER, { ...question, kind: 9 });
    side.receive(PEER, question, 'another channel');
    expect(side.probed).toEqual([]);
    side.hear(PEER, 7);
    side.receive(PEER, question);
    expect(await side.answered()).toHaveLength(1);
  });

  test('drops a question whose name is none, and goes on', async () => {
    side.receive(LIAR, { ...question, name: ['nonsense'] });
    side.hear(PEER, 7);
    side.receive(PEER, question);
    await side.answered();
    expect(side.sent.map(({ to }) => to)).toEqual([PEER]);
  });

  test('counts a hail for the peer whose key it came with, and on the network that every host has', async () => {
    side.hear(LIAR, 7);
    side.hear(PEER, 7, 3);
    side.receive(PEER, question);
    side.receive(LIAR, { ...question, id: 8 });
    side.hear(LIAR, 8);
    const answers = await side.answered(2);
    const heard = answers.map(({ id, found }) => [id, (found & FOUND.hail) !== 0]);
    expect(Object.fromEntries(heard)).toEqual({ 7: false, 8: true });
  });

  test('probes with sizes that a packet can have, whatever is asked', async () => {
    for (const [peer, mtu] of [
      [PEER, 0],
      [LIAR, 65_535],
    ] as const) {
      side.hear(peer, 7);
      side.receive(peer, { ...question, mtu });
    }
    await side.answered(2);
    expect(side.probed.flatMap((mtu) => mtu ?? []).sort()).toEqual([576, 65_000]);
  });

  test('is not deceived by answers of others, and those that come again', async () => {
    side.members = [PEER, LIAR];
    const answers: { from: PeerId; answer: CheckMessage }[] = [];
    side.onQuestion = (to, { id }) => {
      const answer = { kind: ANSWER, id, mtu: 1_400, name: [], found: 15 };
      if (to === LIAR) answers.push({ from: LIAR, answer });
      // The liar answers for the peer, and repeats all that it ever said.
      side.receive(LIAR, answer);
      for (const { answer: old } of answers) for (const from of [LIAR, PEER]) side.receive(from, old);
    };
    const [peer, liar] = await side.checkup.check(1_500);
    expect(peer?.control.state).toBe('fail');
    expect(liar?.control.state).toBe('ok');
  });

  test('looks at 32 peers at a time, and once for all who ask meanwhile', async () => {
    side.members = Array.from({ length: 200 }, (_, i) => parsePeerId(i.toString(16).padStart(16, 'c')));
    let asked = 0;
    side.onQuestion = () => {
      asked += 1;
    };
    const [first, second] = [side.checkup.check(300), side.checkup.check(300)];
    await turn();
    expect(asked).toBe(32);
    const [found, same] = await Promise.all([first, second]);
    expect(same).toBe(found);
    expect(found).toHaveLength(200);
  });
});

import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeExact, encode } from '../../../../src/codec.js';
import { identityFromSeed, parseSecret, proofKeyOf } from '../../../../src/identity/index.js';
import { chooseCipher } from '../../../../src/overlay/session/cipher-choice.js';
import { Initiation, Response } from '../../../../src/overlay/session/key-agreement.js';
import * as wire from '../../../../src/overlay/session/messages.js';
import { type LocalOffer, Session, type SessionAction } from '../../../../src/overlay/session/session.js';
import { bytesOf, hexOf, protocolVectors } from '../../identity/vectors.js';

const TIMINGS = {
  rekeyInterval: 120_000,
  keyGrace: 15_000,
  retryInitial: 1_000,
  retryMax: 30_000,
  deadPeer: 60_000,
  keepalive: 1_000,
};

const OFFER: LocalOffer = {
  incarnation: 1,
  ciphers: [{ name: 'aes-256-gcm', hardware: true, nanosecondsPer1400: 100 }],
  pinned: 'auto',
  networks: [0],
  endpoints: ['192.0.2.1:6783'],
  trusted: [],
};

const SECRET = proofKeyOf(parseSecret(Buffer.alloc(32, 1)));
const OTHER_SECRET = proofKeyOf(parseSecret(Buffer.alloc(32, 2)));
const [one, two] = [identityFromSeed(Buffer.alloc(32, 1)), identityFromSeed(Buffer.alloc(32, 2))];
const [low, high] = Buffer.compare(one.publicKey, two.publicKey) < 0 ? [one, two] : [two, one];

function counter(): () => number {
  let next = 0;
  return () => next++;
}

function pair({
  left = [SECRET],
  right = [SECRET],
  offers = [OFFER, OFFER],
}: {
  left?: Buffer[];
  right?: Buffer[];
  offers?: [LocalOffer, LocalOffer];
} = {}): [Session, Session] {
  const common = { timings: TIMINGS, random: randomBytes };
  const [ours, theirs] = [
    { ...common, offer: () => offers[0], nextSequence: counter() },
    { ...common, offer: () => offers[1], nextSequence: counter() },
  ];
  return [
    new Session({ identity: low, remote: high.publicKey, proofKeys: () => left, ...ours }),
    new Session({ identity: high, remote: low.publicKey, proofKeys: () => right, ...theirs }),
  ];
}

/** What is sent, and what is sent once a key is installed. */
function messages(actions: readonly SessionAction[]): Buffer[] {
  return actions.flatMap((action) => {
    if (action.do === 'send') return [action.bytes];
    return action.do === 'install' && action.answer !== undefined ? [action.answer] : [];
  });
}

function only(actions: readonly SessionAction[]): Buffer {
  const [message, ...more] = messages(actions);
  if (message === undefined || more.length > 0)
    throw new Error(`expected one message, not ${messages(actions).length}`);
  return message;
}

function keyOf(actions: readonly SessionAction[]) {
  const install = actions.find((action) => action.do === 'install');
  if (install?.do !== 'install') throw new Error('no key was installed');
  return install.key;
}

function warnings(actions: readonly SessionAction[]): string[] {
  return actions.flatMap((action) => (action.do === 'warn' ? [action.error.code] : []));
}

test('the test vectors of docs/protocol.md, section 4', () => {
  const vector = protocolVectors('4');
  const [initiator, responder] = ['initiator seed', 'responder seed'].map((name) =>
    identityFromSeed(bytesOf(vector(name))),
  );
  if (initiator === undefined || responder === undefined) throw new Error('no identities');
  const proofKey = proofKeyOf(parseSecret(bytesOf(vector('network secret'))));
  const [seed1, seed2] = [
    bytesOf(vector('initiator ephemeral seed')),
    bytesOf(vector('responder ephemeral seed')),
  ];

  const initiation = decodeExact(wire.sessionMessage, bytesOf(vector('initiation')));
  const response = decodeExact(wire.sessionMessage, bytesOf(vector('response')));
  const left = new Initiation(initiator, responder.publicKey, proofKey, seed1);
  expect(hexOf(left.start(bytesOf(vector('initiation payload'))))).toBe(hexOf(initiation.noise));
  const right = new Response(responder, initiator.publicKey, proofKey, seed2, initiation.noise);
  expect(hexOf(right.payload)).toBe(vector('initiation payload'));
  expect(hexOf(right.finish(bytesOf(vector('response payload'))))).toBe(hexOf(response.noise));
  expect(hexOf(left.finish(response.noise))).toBe(vector('response payload'));

  const keys = left.keys(vector('cipher'));
  expect(hexOf(keys.sealKey)).toBe(vector('initiator to responder key'));
  expect(hexOf(keys.openKey)).toBe(vector('responder to initiator key'));
  expect(hexOf(keys.hopSealKey)).toBe(vector('initiator to responder hop key'));
  expect(hexOf(keys.hopOpenKey)).toBe(vector('responder to initiator hop key'));
  expect(right.keys(vector('cipher'))).toEqual({
    sealKey: keys.openKey,
    openKey: keys.sealKey,
    hopSealKey: keys.hopOpenKey,
    hopOpenKey: keys.hopSealKey,
  });
});

describe('a key agreement', () => {
  test('gives both ends the same keys, crosswise, and indexes that each chose itself', () => {
    const [left, right] = pair();
    right.linkUp(0);
    const answer = right.receive(only(left.linkUp(0)), 1);
    const [ours, theirs] = [keyOf(left.receive(only(answer), 2)), keyOf(answer)];
    expect(ours.sealKey).toEqual(theirs.openKey);
    expect(ours.openKey).toEqual(theirs.sealKey);
    expect(ours.hopSealKey).toEqual(theirs.hopOpenKey);
    expect([ours.localIndex, ours.remoteIndex]).toEqual([theirs.remoteIndex, theirs.localIndex]);
    expect([ours.role, theirs.role, ours.cipher]).toEqual(['initiator', 'responder', 'aes-256-gcm']);
  });

  test('survives the loss of either message by repetition, with one key and not two', () => {
    const [left, right] = pair();
    right.linkUp(0);
    const first = only(left.linkUp(0));
    expect(left.deadline).toBe(1000);
    const second = only(left.tick(1000));
    expect(second).toEqual(first);
    const answer = right.receive(second, 1001);
    const third = only(left.tick(3000));
    const again = right.receive(third, 3001);
    expect(again.map((action) => action.do)).toEqual(['send']);
    expect(only(again)).toEqual(only(answer));
    expect(keyOf(left.receive(only(again), 3002)).remoteIndex).toBe(keyOf(answer).localIndex);
    expect(left.receive(only(answer), 3003)).toEqual([]);
  });

  test('ends whatever of its messages are lost, doubled or late', () => {
    const fate = fc.array(fc.constantFrom('pass', 'lose', 'double', 'delay'), {
      minLength: 40,
      maxLength: 40,
    });
    fc.assert(
      fc.property(fate, (fates) => {
        const [left, right] = pair();
        const wires: { at: number; to: Session; bytes: Buffer }[] = [];
        const send = (to: Session, now: number, actions: readonly SessionAction[]) => {
          for (const bytes of messages(actions)) {
            const what = fates.shift() ?? 'pass';
            if (what !== 'lose') wires.push({ at: now + (what === 'delay' ? 1500 : 1), to, bytes });
            if (what === 'double') wires.push({ at: now + 500, to, bytes });
          }
        };
        send(left, 0, right.linkUp(0));
        send(right, 0, left.linkUp(0));
        let now = 0;
        while (left.current === undefined || right.current === undefined) {
          const next = wires.sort((a, b) => a.at - b.at)[0];
          const due = Math.min(next?.at ?? Infinity, left.deadline ?? Infinity, right.deadline ?? Infinity);
          expect(due).toBeLessThan(Infinity);
          now = Math.max(now, due);
          if (next !== undefined && next.at <= now) {
            wires.shift();
            send(next.to === left ? right : left, now, next.to.receive(next.bytes, now));
          }
          send(right, now, left.tick(now));
          send(left, now, right.tick(now));
        }
      }),
      { numRuns: 100 },
    );
  });

  test('refuses a replayed initiation, also after a newer one', () => {
    const [left, right] = pair();
    right.linkUp(0);
    const old = only(left.linkUp(0));
    left.receive(only(right.receive(old, 1)), 2);
    const fresh = only(left.renew(10));
    left.receive(only(right.receive(fresh, 11)), 12);
    expect(warnings(right.receive(old, 13))).toEqual(['session-replayed']);
    expect(messages(right.receive(old, 13))).toEqual([]);
  });

  test('refuses what is changed on the way, and what another network or another peer made', () => {
    const [left, right] = pair();
    right.linkUp(0);
    const first = only(left.linkUp(0));
    const changed = Buffer.from(first);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    expect(warnings(right.receive(changed, 1))).toEqual(['session-not-genuine']);
    const [stranger] = pair({ left: [OTHER_SECRET] });
    expect(warnings(right.receive(only(stranger.linkUp(0)), 1))).toEqual(['session-not-genuine']);
    expect(keyOf(right.receive(first, 2)).role).toBe('responder');
  });

  test('tries the other live secret when the peer does not know the newest', () => {
    const [left, right] = pair({ left: [OTHER_SECRET, SECRET], right: [SECRET] });
    right.linkUp(0);
    let actions = left.linkUp(0);
    for (let now = 0; messages(right.receive(only(actions), now)).length === 0; ) {
      now = left.deadline ?? Infinity;
      actions = left.tick(now);
    }
    expect(right.current).toBeDefined();
  });

  test('throws for no bytes', () => {
    const [left, right] = pair();
    left.linkUp(0);
    right.linkUp(0);
    const noise = fc.uint8Array({ maxLength: 250 });
    const message = fc
      .record({ kind: fc.nat(4), exchange: fc.uint8Array({ maxLength: 8 }), noise })
      .map((content) => encode(wire.sessionMessage, content));
    fc.assert(
      fc.property(fc.oneof(noise, message), (bytes) => {
        for (const session of [left, right]) {
          expect(session.receive(bytes, 1).every((action) => action.do !== 'install')).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a key', () => {
  function agreed(): [Session, Session, number, number] {
    const [left, right] = pair();
    right.linkUp(0);
    const answer = right.receive(only(left.linkUp(0)), 0);
    return [left, right, keyOf(left.receive(only(answer), 0)).localIndex, keyOf(answer).localIndex];
  }

  test('is renewed by the initiator in time, and the responder asks when that does not happen', () => {
    const [left, right, ours, theirs] = agreed();
    left.confirm(ours, 1);
    right.confirm(theirs, 1);
    expect(left.deadline).toBe(120_000);
    expect(right.deadline).toBe(150_000);
    const request = only(right.tick(150_000));
    expect(decodeExact(wire.sessionMessage, request).kind).toBe(wire.REQUEST);
    expect(decodeExact(wire.sessionMessage, only(left.receive(request, 150_001))).kind).toBe(wire.INITIATION);
  });

  test('outlives its successor until that is known to work, and then a grace period', () => {
    const [left, right, ours] = agreed();
    left.confirm(ours, 1);
    const next = keyOf(left.receive(only(right.receive(only(left.renew(100)), 100)), 100)).localIndex;
    expect(left.tick(50_000)).toEqual([]);
    left.confirm(next, 60_000);
    expect(left.tick(74_999)).toEqual([]);
    expect(left.tick(75_000)).toEqual([{ do: 'remove', localIndex: ours }]);
  });

  test('in use is never the one that goes when there are too many', () => {
    const [left, right, ours] = agreed();
    left.confirm(ours, 1);
    const removed: number[] = [];
    for (let now = 10; now < 20; now++) {
      for (const action of left.receive(only(right.receive(only(left.renew(now)), now)), now)) {
        if (action.do === 'remove') removed.push(action.localIndex);
      }
    }
    expect(removed).toHaveLength(7);
    expect(removed).not.toContain(ours);
  });

  test('that the data plane still has is kept when the link comes back', () => {
    const [left, , ours] = agreed();
    left.confirm(ours, 1);
    left.linkDown();
    expect(left.deadline).toBeUndefined();
    expect(left.linkUp(1000)).toEqual([]);
    left.reset();
    expect(messages(left.linkUp(2000))).toHaveLength(1);
  });
});

describe('trusted subnets', () => {
  const trusting = (trusted: string[]) => ({ ...OFFER, trusted });

  test('of each end come with the key to the other, and go to the data plane with it', () => {
    const [left, right] = pair({ offers: [trusting(['10.0.0.0/8']), trusting(['10.1.0.0/16'])] });
    const answered = right.receive(only(left.linkUp(0)), 0);
    const installed = left.receive(only(answered), 0);
    expect(keyOf(installed)).toMatchObject({ trusted: ['10.0.0.0/8'], peerTrusts: ['10.1.0.0/16'] });
    expect(keyOf(answered)).toMatchObject({ trusted: ['10.1.0.0/16'], peerTrusts: ['10.0.0.0/8'] });
  });

  test('that changed while the key was in use are told with a new one', () => {
    const key = { localIndex: 1, remoteIndex: 2, cipher: 'aes-256-gcm', sentPackets: 9, age: 1 };
    const state = { ...key, role: 'initiator', sealing: true, trusted: ['10.0.0.0/8'] } as const;
    const [same] = pair({ offers: [trusting(['10.0.0.0/8']), OFFER] });
    same.adopt([state], true, 0);
    expect(messages(same.linkUp(0))).toHaveLength(0);
    const [changed] = pair();
    changed.adopt([state], true, 0);
    expect(messages(changed.linkUp(0))).toHaveLength(1);
  });
});

describe('the choice of a cipher', () => {
  const cipher = fc.record({
    name: fc.constantFrom('xsalsa20-poly1305', 'chacha20-poly1305', 'aes-256-gcm'),
    hardware: fc.boolean(),
    nanosecondsPer1400: fc.integer({ min: 50, max: 2000 }),
  });
  const offer = fc.record({
    ciphers: fc.uniqueArray(cipher, { selector: ({ name }) => name }),
    pinned: fc.constantFrom('auto', 'auto', 'chacha20-poly1305', 'aes-256-gcm'),
  });

  test('is the same at both ends, and something that both have', () => {
    fc.assert(
      fc.property(offer, offer, (a, b) => {
        const chosen = chooseCipher(a, b);
        expect(chooseCipher(b, a)).toBe(chosen);
        const both = [a, b].every(({ ciphers }) => ciphers.some(({ name }) => name === chosen));
        expect(both || chosen === 'xsalsa20-poly1305').toBe(true);
      }),
    );
  });

  test('goes by the slower end, and does not take AES in software', () => {
    const aes = (hardware: boolean, nanosecondsPer1400: number) => ({
      name: 'aes-256-gcm',
      hardware,
      nanosecondsPer1400,
    });
    const chacha = (nanosecondsPer1400: number) => ({
      name: 'chacha20-poly1305',
      hardware: false,
      nanosecondsPer1400,
    });
    const auto = (...ciphers: ReturnType<typeof aes>[]) => ({ ciphers, pinned: 'auto' });
    expect(chooseCipher(auto(aes(true, 100), chacha(900)), auto(aes(true, 400), chacha(300)))).toBe(
      'aes-256-gcm',
    );
    expect(chooseCipher(auto(aes(true, 100), chacha(900)), auto(aes(false, 400), chacha(800)))).toBe(
      'chacha20-poly1305',
    );
    expect(chooseCipher(auto(aes(true, 100)), auto(aes(false, 100)))).toBe('xsalsa20-poly1305');
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Admission } from '../../../../../src/mesh/link/tcp/admission.js';

describe('admission', () => {
  const limits = {
    handshakes: 10,
    handshakesPerAddress: 4,
    acceptBurst: 6,
    acceptRate: 2,
    sendQueue: 0,
    fullMesh: 0,
    members: 0,
  };

  test('limits the handshakes of one address and of all, and lets in again who is done', () => {
    const admission = new Admission(limits);
    const enter = (address: string) => admission.enter(address, 0);
    expect(['a', 'a', 'a', 'a', 'a'].map(enter).at(-1)).toBe('accept-limit');
    admission.leave('a');
    expect(enter('a')).toBeUndefined();
    for (const address of ['b', 'b', 'b', 'b', 'c', 'c']) expect(enter(address)).toBeUndefined();
    expect(enter('d')).toBe('accept-limit');
  });

  test('limits how often one address comes, and forgives with time', () => {
    const admission = new Admission(limits);
    const visit = (now: number) => {
      const refused = admission.enter('a', now);
      if (refused === undefined) admission.leave('a');
      return refused;
    };
    expect([0, 0, 0, 0, 0, 0, 0].map(visit)).toEqual([...Array(6).fill(undefined), 'accept-rate']);
    expect([1000, 1000, 1000].map(visit)).toEqual([undefined, undefined, 'accept-rate']);
  });

  test('never has more handshakes than allowed, whoever comes and goes', () => {
    const step = fc.record({ address: fc.nat(5000).map(String), leave: fc.boolean(), wait: fc.nat(100) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const admission = new Admission(limits);
        const inside: string[] = [];
        let now = 0;
        for (const { address, leave, wait } of steps) {
          now += wait;
          const gone = leave ? inside.shift() : undefined;
          if (gone !== undefined) admission.leave(gone);
          if (admission.enter(address, now) === undefined) inside.push(address);
          expect(admission.handshakes).toBe(inside.length);
          expect(inside.length).toBeLessThanOrEqual(limits.handshakes);
        }
      }),
    );
  });
});

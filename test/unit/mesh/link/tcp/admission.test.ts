import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Admission, type Guest } from '../../../../../src/mesh/link/tcp/admission.js';

const limits = { handshakes: 10, handshakesPerAddress: 4, acceptBurst: 6, acceptRate: 2 };

/** A door with these limits, and who was shown out again. */
function door(isKnown: (address: string) => boolean = () => false) {
  const admission = new Admission(limits, isKnown);
  const evicted: string[] = [];
  const guest = (address: string, isSilent: boolean): Guest => ({
    address,
    isSilent: () => isSilent,
    evict: () => void evicted.push(address),
  });
  const silent = (address: string, now = 0) => admission.enter(guest(address, true), now);
  const speaking = (address: string, now = 0) => admission.enter(guest(address, false), now);
  return { admission, evicted, guest, silent, speaking };
}

/** As many of them from each of these addresses as may be. */
function fill(addresses: readonly string[], enter: (address: string) => unknown): void {
  for (const address of addresses) for (let i = 0; i < limits.handshakesPerAddress; i += 1) enter(address);
}

describe('admission', () => {
  test('limits the handshakes of one address and of all, and lets in again who is done', () => {
    const { admission, guest, speaking } = door();
    const first = guest('192.0.2.1', false);
    expect(admission.enter(first, 0)).toBeUndefined();
    fill(['192.0.2.1'], speaking);
    expect(speaking('192.0.2.1')).toBe('accept-limit');
    admission.leave(first);
    expect(speaking('192.0.2.1')).toBeUndefined();
    expect(admission.handshakes).toBe(4);
  });

  test('gives the place of the oldest silent connection to a newcomer when all are taken', () => {
    const { admission, evicted, silent } = door();
    fill(['192.0.2.1', '192.0.2.2'], silent);
    for (const address of ['192.0.2.3', '192.0.2.3']) silent(address);
    expect(admission.handshakes).toBe(10);
    expect(silent('198.51.100.1')).toBeUndefined();
    expect(evicted).toEqual(['192.0.2.1']);
    expect(admission.handshakes).toBe(10);
  });

  test('gives it to another of the same address, too, and not that of one that speaks', () => {
    const { evicted, silent, speaking } = door();
    speaking('192.0.2.1');
    for (let i = 0; i < 3; i += 1) silent('192.0.2.1');
    expect(silent('192.0.2.1')).toBeUndefined();
    expect(evicted).toEqual(['192.0.2.1']);
    const other = door();
    fill(['192.0.2.1'], other.speaking);
    expect(other.silent('192.0.2.1')).toBe('accept-limit');
  });

  test('has those that speak give way to addresses that have fewer places only', () => {
    const { admission, evicted, guest, speaking } = door();
    const some = Array.from({ length: 10 }, (_, i) => guest(`192.0.2.${i}`, false));
    for (const each of some) admission.enter(each, 0);
    expect(speaking('198.51.100.1')).toBeUndefined();
    expect(evicted).toEqual(['192.0.2.0']);
    expect(speaking('198.51.100.1')).toBe('accept-limit');
  });

  test('keeps the places of members, and gives them those of others', () => {
    const { admission, evicted, guest, speaking } = door((address) => address.startsWith('203.0.113.'));
    const member = guest('203.0.113.1', true);
    admission.enter(member, 0);
    for (let i = 0; i < 9; i += 1) admission.enter(guest(`192.0.2.${i}`, false), 0);
    for (let i = 0; i < 50; i += 1) speaking(`198.51.100.${i}`);
    expect(evicted).not.toContain('203.0.113.1');
    for (let i = 0; i < 4; i += 1) expect(speaking('203.0.113.2')).toBeUndefined();
  });

  test('takes a /64 of IPv6 for one source, and neighbours on the link for many', () => {
    const { silent, speaking } = door();
    const together = [1, 2, 3, 4].map((i) => `2001:db8:0:1::${i}`);
    expect(together.map((address) => speaking(address))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(speaking('2001:db8:0:1:ffff::5')).toBe('accept-limit');
    expect(silent('2001:db8:0:2::1')).toBeUndefined();
    const neighbours = door();
    for (let i = 1; i <= 6; i += 1) expect(neighbours.speaking(`fe80::${i}`)).toBeUndefined();
  });

  test('limits how often one address comes, and forgives with time', () => {
    const { admission, guest } = door();
    const visit = (now: number) => {
      const visitor = guest('192.0.2.1', false);
      const refused = admission.enter(visitor, now);
      admission.leave(visitor);
      return refused;
    };
    expect([0, 0, 0, 0, 0, 0, 0].map(visit)).toEqual([...Array(6).fill(undefined), 'accept-rate']);
    expect([1000, 1000, 1000].map(visit)).toEqual([undefined, undefined, 'accept-rate']);
  });

  test('never has more handshakes than allowed, whoever comes, goes or speaks', () => {
    const step = fc.record({
      address: fc.nat(40).map((i) => `192.0.2.${i}`),
      leave: fc.boolean(),
      silent: fc.boolean(),
      wait: fc.nat(1000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const inside = new Set<Guest>();
        const admission = new Admission(limits, (address) => address.endsWith('7'));
        let now = 0;
        for (const { address, leave, silent, wait } of steps) {
          now += wait;
          const [first] = inside;
          if (leave && first !== undefined) {
            admission.leave(first);
            inside.delete(first);
          }
          const guest: Guest = { address, isSilent: () => silent, evict: () => inside.delete(guest) };
          if (admission.enter(guest, now) === undefined) inside.add(guest);
          expect(admission.handshakes).toBe(inside.size);
          expect(inside.size).toBeLessThanOrEqual(limits.handshakes);
        }
      }),
    );
  });
});

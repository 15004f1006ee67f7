import { describe, expect, it } from 'vitest';
import { memberNamed, nameOf } from '../../../src/daemon/membership/peer-names.js';
import type { PeerId } from '../../../src/identity/index.js';
import type { MemberView } from '../../../src/mesh/index.js';

const A = '15a82f92fdccaaee' as PeerId;
const B = '77ab000000000001' as PeerId;
const FORMER = '77ab000000000002' as PeerId;

const members = [
  { peer: A, nickname: 'a' },
  { peer: B, nickname: 'b', self: true },
  { peer: FORMER, nickname: 'b', down: true },
].map((member) => ({ self: false, left: false, down: false, ...member }) as MemberView);

describe('what peers are called', () => {
  it('is the nickname, and tells those apart who share one', () => {
    expect(nameOf(members, A)).toBe('a');
    expect(nameOf(members, B)).toBe(`b (${B})`);
    expect(nameOf(members, FORMER)).toBe(`b (${FORMER})`);
    expect(nameOf(members, 'ffff000000000000' as PeerId)).toBe('ffff000000000000');
  });

  it('finds one of them, or says which there are', () => {
    expect(memberNamed(members, 'a').peer).toBe(A);
    expect(memberNamed(members, FORMER).peer).toBe(FORMER);
    expect(() => memberNamed(members, 'b')).toThrow(
      `b may be ${B} (this router) or ${FORMER} (down): use a peer id`,
    );
  });
});

import { expect, test } from 'vitest';
import { addressNumber, parseBlock } from '../../../src/ipam/ring/range.js';
import { type OwnershipRecord, UNSIGNED } from '../../../src/ipam/ring/records.js';
import { Rings, type RouterUnderTest } from './rings.js';

function network(names: readonly string[], range?: string) {
  const [rings, ...routers] = Rings.network(names, range);
  return [rings, ...routers] as [Rings, RouterUnderTest, RouterUnderTest, RouterUnderTest, RouterUnderTest];
}

const sum = (routers: readonly RouterUnderTest[]) => routers.reduce((all, { owned }) => all + owned, 0);

test('the creator hands out the lowest free address, and never those of the network and of broadcast', () => {
  const [, creator] = network(['a'], '10.32.0.0/29');
  const owners = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'];
  expect(owners.map((owner) => creator.allocate(owner).address)).toEqual([
    '10.32.0.1',
    '10.32.0.2',
    '10.32.0.3',
    '10.32.0.4',
    '10.32.0.5',
    '10.32.0.6',
  ]);
  expect(creator.allocate('c7').error?.code).toBe('no-space');
  creator.release('c3');
  expect(creator.allocate('c8').address).toBe('10.32.0.3');
});

test('the same owner gets the same address again, in each subnet another', () => {
  const [, creator] = network(['a']);
  const subnet = parseBlock('10.32.0.64/26');
  expect(creator.allocate('c').address).toBe('10.32.0.1');
  expect(creator.allocate('c').address).toBe('10.32.0.1');
  expect(creator.allocate('c', subnet).address).toBe('10.32.0.65');
});

test('a router without space is given the biggest aligned block of the owner, unless that is more than half', () => {
  const [rings, a, b] = network(['a', 'b']);
  expect(b.owned).toBe(0);
  expect(b.allocate('c').address).toBe('10.32.0.128');
  rings.settle();
  expect([a.owned, b.owned]).toEqual([192, 64]);
});

test('who has most free is asked first, and the next when it denies', () => {
  const [rings, a, b, c] = network(['a', 'b', 'c']);
  b.allocate('c1');
  for (let index = 0; index < 128; index++) a.allocate(`a${index}`);
  rings.settle();
  expect(c.allocate('c2').address).toMatch(/^10\.32\.0\.(19|2)/);
  expect(sum([a, b, c])).toBe(256);
});

test('space is used up only when everybody says so', () => {
  const [, a, b] = network(['a', 'b'], '10.32.0.0/29');
  for (const owner of ['1', '2', '3']) b.allocate(owner);
  for (const owner of ['1', '2', '3']) a.allocate(owner);
  expect(b.allocate('4').error?.code).toBe('no-space');
  a.isolated = true;
  const waiting = b.allocate('4');
  expect(waiting.settled).toBe(false);
  b.cancelAll();
  expect(waiting.error?.code).toBe('not-in-time');
  expect(waiting.error?.message).toMatch(
    /^only a can give 10.32.0.[0-9]+ to .*, and cannot be reached: .*rmpeer/,
  );
});

test('an address that somebody chose is noted by its owner here or there, and never given to others', () => {
  const [, a, b] = network(['a', 'b']);
  const address = addressNumber('10.32.0.1');
  expect(b.claim('fixed', address).address).toBe('10.32.0.1');
  expect(a.allocate('c').address).toBe('10.32.0.2');
  expect(a.claim('other', address).error?.message).toContain('10.32.0.1 is in use by b');
  expect(b.claim('other', address).error?.message).toContain('in use by fixed');
  expect(b.claim('fixed', address).error).toBeUndefined();
});

test('whoever waits for a router that is away is told which one', () => {
  const [, a, b] = network(['a', 'b']);
  a.isolated = true;
  const claim = b.claim('fixed', addressNumber('10.32.0.9'));
  b.cancelAll();
  expect(claim.error?.message).toMatch(/^only a can give 10.32.0.9, and cannot be reached: .*rmpeer/);
  const later = b.claim('fixed', addressNumber('10.32.0.9'));
  a.meet();
  expect(later.address).toBe('10.32.0.9');
});

test('a lost answer is asked for again', () => {
  const [rings, a, b] = network(['a', 'b']);
  b.isolated = true;
  const waiting = b.allocate('c');
  b.isolated = false;
  rings.pass(3_000);
  expect(waiting.address).toBe('10.32.0.128');
  expect(sum([a, b])).toBe(256);
});

test('seeds split the range evenly, each takes its part alone, and others join them', () => {
  const rings = new Rings();
  const seeds = ['a', 'b', 'c'].map((name) => rings.add(name));
  for (const seed of seeds) seed.isolated = true;
  for (const seed of seeds) seed.ring.found(seeds.map(({ peer }) => peer));
  rings.settle();
  expect(seeds.map(({ owned }) => owned)).toEqual([64, 64, 128]);
  for (const seed of seeds) seed.meet();
  const joiner = rings.add('d');
  joiner.meet();
  expect(joiner.allocate('x').address).toBeDefined();
  expect(sum([...seeds, joiner])).toBe(256);
});

test('another list of seeds is refused, with both named', () => {
  const [, a, b] = network(['a', 'b']);
  expect(() => b.ring.learnFounders([b.peer])).toThrow(/first split between .*, that of this router between/);
  expect(() => a.ring.found([b.peer])).toThrow(/first split/);
});

test('prime waits until there is a ring', () => {
  const rings = new Rings();
  const [a, b] = [rings.add('a'), rings.add('b')];
  const primed = b.ask((id) => b.ring.prime(id));
  expect(primed.settled).toBe(false);
  a.ring.found([a.peer]);
  rings.settle();
  expect(primed).toEqual({ settled: true });
});

test('an ownership record that the owner did not sign changes nothing', () => {
  const [rings, a, b, c] = network(['a', 'b', 'c']);
  const thief = b.ring.ring?.participantRecords.get(b.peer);
  const { start, end } = rings.range;
  const record: OwnershipRecord = {
    ...{
      kind: 'ownership',
      start,
      end,
      version: 2,
      owner: b.peer,
      ownerIncarnation: thief?.incarnation ?? 0,
    },
    ...{ signer: b.peer, signerIncarnation: thief?.incarnation ?? 0, signature: UNSIGNED },
  };
  expect(c.ring.merge([record], rings.now)).toEqual([]);
  expect(a.ring.merge([record], rings.now)).toEqual([]);
  rings.settle();
  expect(c.warnings).toContain('not-its-owner');
  expect(a.warnings).toContain('address-conflict');
  expect(a.owned).toBe(256);
});

test('a router that leaves gives all away, and others can use it at once', () => {
  const [rings, a, b, c] = network(['a', 'b', 'c']);
  b.allocate('x');
  const left = a.ask((id) => a.ring.leave(id));
  rings.pass(3_000);
  expect(left).toEqual({ settled: true });
  a.kill();
  expect(sum([b, c])).toBe(256);
  expect(a.allocate('y').settled).toBe(false);
});

test('a router that leaves is known to have left by all, though it is gone before it told them', () => {
  const [, a, b, c] = network(['a', 'b', 'c']);
  a.isMute = true;
  expect(a.ask((id) => a.ring.leave(id))).toEqual({ settled: true });
  a.kill();
  for (const { ring } of [b, c]) expect(ring.view().owners.map(({ peer }) => peer)).toEqual([b.peer]);
  expect(c.ring.view().participants).not.toContain(a.peer);
});

test('a router that leaves waits for somebody who takes what it has', () => {
  const [rings, a, b] = network(['a', 'b']);
  b.isolated = true;
  const left = a.ask((id) => a.ring.leave(id));
  rings.pass(10_000);
  expect(left.settled).toBe(false);
  b.meet();
  rings.pass(10_000);
  expect(left).toEqual({ settled: true });
  expect(b.owned).toBe(256);
});

test.each([
  ['what it has', 1],
  ['that it has ended', 2],
])('a router that leaves finds another successor when the first leaves, too, before it confirms %s', (_what, rounds) => {
  const [rings, a, b, c] = network(['a', 'b', 'c']);
  const left = a.ask((id) => {
    a.ring.leave(id);
    for (let round = 0; round < rounds; round++) {
      a.advance();
      b.advance();
    }
    a.advance();
    a.isolated = true;
  });
  expect(b.ask((id) => b.ring.leave(id))).toEqual({ settled: true });
  b.kill();
  rings.pass(5_000);
  expect(left.settled).toBe(false);
  a.meet();
  rings.pass(5_000);
  expect(left).toEqual({ settled: true });
  a.kill();
  rings.pass(5_000);
  expect(c.owned).toBe(256);
});

test('the last router of a network leaves without a successor', () => {
  const [, a] = network(['a']);
  expect(a.ask((id) => a.ring.leave(id))).toEqual({ settled: true });
});

test('what a dead router had is taken over once, by the one on which it was removed', () => {
  const [rings, a, b, c] = network(['a', 'b', 'c']);
  b.allocate('x');
  a.kill();
  expect(b.ask((id) => b.ring.remove(id, a.peer))).toEqual({ settled: true });
  expect(c.ask((id) => c.ring.remove(id, a.peer))).toEqual({ settled: true });
  rings.settle();
  expect([b.owned, c.owned]).toEqual([256, 0]);
});

test('a router that is up is not removed', () => {
  const [, a, b] = network(['a', 'b']);
  expect(b.ask((id) => b.ring.remove(id, a.peer)).error?.code).toBe('peer-alive');
});

test('nothing is taken over before everybody who takes part has answered, or is removed, too', () => {
  const [rings, a, b, c, d] = network(['a', 'b', 'c', 'd']);
  a.kill();
  c.isolated = true;
  const removed = b.ask((id) => b.ring.remove(id, a.peer));
  rings.pass(5_000);
  expect(removed.settled).toBe(false);
  expect(b.ring.view().waitingFor).toEqual([c.peer]);
  expect(sum([b, d])).toBe(0);
  b.cancelAll();
  expect(removed.error?.message).toContain('once c answered');
  c.kill();
  b.ask((id) => b.ring.remove(id, c.peer));
  rings.settle();
  expect(b.owned).toBe(256);
});

test('two that remove the same router apart take over nothing before they meet, and then one does', () => {
  const [rings, a, b, c] = network(['a', 'b', 'c']);
  a.kill();
  b.isolated = true;
  c.isolated = true;
  b.ask((id) => b.ring.remove(id, a.peer));
  c.ask((id) => c.ring.remove(id, a.peer));
  rings.pass(3_000);
  expect([b.owned, c.owned]).toEqual([0, 0]);
  b.isolated = false;
  c.meet();
  rings.pass(5_000);
  expect([b.owned, c.owned].sort()).toEqual([0, 256]);
});

test('what a dead router gave away is not taken over, though only who has it knows', () => {
  const [rings, a, b, c] = network(['a', 'b', 'c']);
  b.isolated = true;
  expect(c.allocate('x').address).toBe('10.32.0.128');
  a.kill();
  c.isolated = true;
  b.isolated = false;
  b.ask((id) => b.ring.remove(id, a.peer));
  rings.pass(5_000);
  expect([b.owned, c.owned]).toEqual([0, 64]);
  c.meet();
  rings.pass(5_000);
  expect([b.owned, c.owned]).toEqual([192, 64]);
});

test('a grant that comes after its donor was removed is used only when all others have confirmed it', () => {
  const [rings, a, b, c] = network(['a', 'b', 'c']);
  const owner = c.ring.ring?.participantRecords.get(c.peer);
  const donor = a.ring.ring?.participantRecords.get(a.peer);
  const { start, end } = rings.range;
  const late: OwnershipRecord = {
    ...{ kind: 'ownership', start: end - 64, end, version: 2 },
    ...{ owner: c.peer, ownerIncarnation: owner?.incarnation ?? 0 },
    ...{ signer: a.peer, signerIncarnation: donor?.incarnation ?? 0, signature: UNSIGNED },
  };
  a.kill();
  b.ask((id) => b.ring.remove(id, a.peer));
  expect(b.owned).toBe(end - start);
  c.ring.merge([late], rings.now);
  rings.pass(5_000);
  expect([b.owned, c.owned]).toEqual([end - start, 0]);
});

test('a removed router that comes back has lost what it had, and gets space from others', () => {
  const [rings, a, b] = network(['a', 'b']);
  a.allocate('x');
  a.kill();
  b.ask((id) => b.ring.remove(id, a.peer));
  expect(b.owned).toBe(256);
  const again = a.restart();
  rings.pass(3_000);
  expect(again.owned).toBe(0);
  expect(again.lost).toEqual(['10.32.0.1']);
  expect(again.allocate('x').address).toBe('10.32.0.128');
});

test('a router that goes on where it was has all that it had', () => {
  const [, a] = network(['a', 'b']);
  a.allocate('x');
  const again = a.restart({ continued: true });
  expect(again.owned).toBe(256);
  expect(again.allocate('x').address).toBe('10.32.0.1');
});

test('a router that was restarted has its own again when the others have confirmed it', () => {
  const [rings, a, b] = network(['a', 'b']);
  a.allocate('x');
  b.allocate('y');
  b.isolated = true;
  const again = a.restart();
  const waiting = again.allocate('new');
  expect(again.ring.view()).toMatchObject({ inDoubt: true, owned: 0, waitingFor: [b.peer] });
  again.cancelAll();
  expect(waiting.error?.code).toBe('no-addresses');
  expect(waiting.error?.message).toContain('b must confirm what it owns');
  b.meet();
  rings.pass(3_000);
  expect(again.ring.view()).toMatchObject({ inDoubt: false, owned: 192 });
  expect(again.allocate('x').address).toBe('10.32.0.1');
});

test('a router with an older disk does not hand out what it gave away since', () => {
  const [rings, a, b, c] = network(['a', 'b', 'c']);
  const backup = a.disk;
  const given = b.allocate('y').address;
  const again = a.restart({ state: backup });
  rings.pass(3_000);
  expect(again.owned).toBe(192);
  expect(again.claim('z', addressNumber(given ?? '')).error?.code).toBe('address-used');
  expect(sum([again, b, c])).toBe(256);
});

test('a router in doubt uses what others give it meanwhile', () => {
  const [rings, a, b, c] = network(['a', 'b', 'c']);
  b.allocate('y');
  c.isolated = true;
  const again = a.restart();
  rings.pass(2_000);
  expect(again.ring.view().inDoubt).toBe(true);
  expect(again.allocate('new').address).toBeDefined();
});

test('alone, a router takes back its own when it is forced to', () => {
  const [, a, b] = network(['a', 'b']);
  b.kill();
  const again = a.restart();
  expect(again.owned).toBe(0);
  again.ask((id) => again.ring.force(id));
  expect(again.owned).toBe(256);
});

test('a ring that was never shared needs nobody to confirm it', () => {
  const [, a] = network(['a']);
  a.allocate('x');
  expect(a.restart().allocate('x').address).toBe('10.32.0.1');
});

test('after a loss of power everywhere all go on as soon as they meet', () => {
  const [rings, a, b, c] = network(['a', 'b', 'c']);
  b.allocate('x');
  c.allocate('y');
  const before = [a, b, c].map(({ owned }) => owned);
  const again = [a, b, c].map((router) => router.restart());
  rings.pass(5_000);
  expect(again.map(({ owned }) => owned)).toEqual(before);
});

test('nothing is handed out or given away that is not on the disk', () => {
  const [rings, a, b] = network(['a', 'b']);
  a.diskFull = true;
  const refused = a.allocate('x');
  expect(refused.error?.code).toBe('disk-full');
  expect(a.ring.allocationsOf('x')).toEqual([]);
  const waiting = b.allocate('y');
  expect(waiting.settled).toBe(false);
  expect(a.owned).toBe(256);
  a.diskFull = false;
  rings.pass(3_000);
  expect(waiting.address).toBe('10.32.0.128');
  expect(a.allocate('x').address).toBe('10.32.0.1');
});

test('what others say about how much is free is not written to the disk each time', () => {
  const [, a, b] = network(['a', 'b']);
  b.allocate('x');
  const { writes } = a;
  for (let index = 0; index < 50; index++) b.allocate(`y${index}`);
  expect(a.writes).toBe(writes);
});

test('the view tells who owns how much, and what is pending', () => {
  const [rings, a, b] = network(['a', 'b']);
  a.allocate('x');
  b.allocate('y');
  b.isolated = true;
  rings.settle();
  expect(a.ring.view()).toEqual({
    range: '10.32.0.0/24',
    founders: [a.peer],
    owners: [
      { peer: a.peer, addresses: 192, share: 0.75, free: 191, reachable: true, heir: null },
      { peer: b.peer, addresses: 64, share: 0.25, free: 63, reachable: false, heir: null },
    ],
    participants: [a.peer, b.peer],
    owned: 192,
    allocated: 1,
    pending: 0,
    waitingFor: [],
    inDoubt: false,
    requests: { allocate: 0, claim: 0 },
  });
});

test('who owns nothing participates, too, until it is removed', () => {
  const [rings, a, b] = network(['a', 'b']);
  expect(a.ring.view().owners.map(({ peer }) => peer)).toEqual([a.peer]);
  expect(a.ring.view().participants).toEqual([a.peer, b.peer]);
  b.kill();
  a.ask((id) => a.ring.remove(id, b.peer));
  rings.settle();
  expect(a.ring.view().participants).toEqual([a.peer]);
});

test('what comes and goes is told at both ends, once it is on the disk, and never again', () => {
  const [rings, a, b, c] = network(['a', 'b', 'c']);
  expect(a.moved.splice(0)).toEqual(['256 from nobody']);
  a.diskFull = true;
  b.allocate('x');
  expect([a.moved, b.moved]).toEqual([[], []]);
  a.diskFull = false;
  rings.pass(5_000);
  expect([a.moved.splice(0), b.moved.splice(0)]).toEqual([['64 to b'], ['64 from a']]);
  b.ask((id) => b.ring.leave(id));
  expect([a.moved.splice(0), b.moved.splice(0)]).toEqual([['64 from b'], ['64 to a']]);
  expect(a.restart({ continued: true }).moved).toEqual([]);
  expect(c.moved).toEqual([]);
});

test('of several spans that lie side by side one is told, and of a dead owner that they were its', () => {
  const [rings, a, b] = network(['a', 'b']);
  for (const owner of ['x', 'y']) b.claim(owner, addressNumber(owner === 'x' ? '10.32.0.8' : '10.32.0.9'));
  expect(b.moved).toEqual(['1 from a', '1 from a']);
  b.kill();
  a.moved.splice(0);
  a.ask((id) => a.ring.remove(id, b.peer));
  rings.settle();
  expect(a.moved).toEqual(['2 from b']);
});

import { afterEach, describe, expect, test, vi } from 'vitest';
import { WeftError } from '../../../../../src/errors.js';
import type { PeerId } from '../../../../../src/identity/index.js';
import { DEFAULT_TIMINGS } from '../../../../../src/mesh/defaults.js';
import { Dialer } from '../../../../../src/mesh/link/tcp/dialer.js';
import { firstOf } from '../../../../../src/mesh/link/tcp/first-of.js';
import { formatHostPort, type HostPort, parseHostPort } from '../../../../../src/net/index.js';

const [ben, carl] = ['2222222222222222', '3333333333333333'] as [PeerId, PeerId];

/** A dialer in a world that the test changes: who answers where, what is this host's own, and what was dialled. */
function dialer() {
  const world = {
    at: new Map<string, PeerId | 'self' | 'silent'>(),
    own: new Set<string>(),
    linked: new Set<PeerId>(),
    reachable: new Set<PeerId>(),
    dialled: [] as string[],
  };
  const dial = async (address: HostPort, signal: AbortSignal, wanted: PeerId | undefined) => {
    const where = formatHostPort(address);
    world.dialled.push(where);
    const found = world.at.get(where);
    if (found === 'silent')
      return await new Promise<PeerId>((_, reject) =>
        signal.addEventListener('abort', () => reject(new WeftError('connect-aborted', 'aborted'))),
      );
    if (found === undefined) throw new WeftError('connect-failed', `nobody is at ${where}`);
    if (found === 'self') throw new WeftError('self', 'it leads back');
    if (wanted !== undefined && wanted !== found) throw new WeftError('other-peer', 'somebody else is there');
    world.linked.add(found);
    made.linkUp(found);
    return found;
  };
  const made = new Dialer({
    timings: DEFAULT_TIMINGS,
    random: () => 0.5,
    dial,
    ownAddresses: () => (address) => world.own.has(formatHostPort(address)),
    isLinked: (peer) => world.linked.has(peer),
    isReachable: (peer) => world.reachable.has(peer),
    onFailure: () => {},
  });
  const lose = (peer: PeerId) => {
    world.linked.delete(peer);
    made.linkDown(peer, new WeftError('link-timeout', 'silent'), 60_000);
  };
  return { world, dialer: made, lose };
}

const places = (...texts: string[]) => texts.map((text) => parseHostPort(text));
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

describe('a member', () => {
  afterEach(() => vi.useRealTimers());

  test('that has an address of this host’s own is dialled at its others only, and again and again', async () => {
    vi.useFakeTimers();
    const { world, dialer: made } = dialer();
    world.own.add('172.17.0.1:6783');
    made.addMember(ben, true, () => places('10.9.0.1', '172.17.0.1'));
    await pass(60_000);
    expect(new Set(world.dialled)).toEqual(new Set(['10.9.0.1:6783']));
    world.at.set('10.9.0.1:6783', ben);
    await pass(15_000);
    expect(world.linked).toContain(ben);
  });

  test('one of whose addresses leads back to this router is not given up, whatever the order', async () => {
    vi.useFakeTimers();
    const { world, dialer: made } = dialer();
    world.at.set('172.17.0.1:6783', 'self');
    made.addMember(ben, true, () => places('10.9.0.1', '172.17.0.1'));
    await pass(60_000);
    world.at.set('10.9.0.1:6783', ben);
    await pass(15_000);
    expect(world.linked).toContain(ben);
  });

  test('all of whose addresses are this host’s own is dialled once it tells of another', async () => {
    vi.useFakeTimers();
    const { world, dialer: made } = dialer();
    world.own.add('10.9.0.1:6783');
    let known = places('10.9.0.1');
    made.addMember(ben, true, () => known);
    await pass(60_000);
    expect(world.dialled).toEqual([]);
    known = places('10.9.0.2');
    world.at.set('10.9.0.2:6783', ben);
    await pass(15_000);
    expect(world.linked).toContain(ben);
  });

  test('whose address is another’s now is found where it went, though that other is linked', async () => {
    vi.useFakeTimers();
    const { world, dialer: made } = dialer();
    world.at.set('10.9.0.1:6783', carl);
    let known = places('10.9.0.1');
    made.addMember(ben, true, () => known);
    world.linked.add(carl);
    await pass(60_000);
    known = places('10.9.0.1', '10.9.0.2');
    world.at.set('10.9.0.2:6783', ben);
    await pass(15_000);
    expect(world.linked).toContain(ben);
  });

  test('is not kept waiting by addresses that do not answer', async () => {
    vi.useFakeTimers();
    const { world, dialer: made } = dialer();
    const silent = Array.from({ length: 15 }, (_, i) => `172.18.${i}.1`);
    for (const address of silent) world.at.set(`${address}:6783`, 'silent');
    world.at.set('10.9.0.2:6783', ben);
    made.addMember(ben, true, () => places(...silent, '10.9.0.2'));
    await pass(31_000);
    expect(world.linked).toContain(ben);
  });

  test('that waits for its next turn is dialled at once when this host has another address', async () => {
    vi.useFakeTimers();
    const { world, dialer: made } = dialer();
    made.addMember(ben, true, () => places('10.9.0.2'));
    await pass(120_000);
    world.at.set('10.9.0.2:6783', ben);
    made.localAddressesChanged();
    await pass(0);
    expect(world.linked).toContain(ben);
  });
});

describe('a target', () => {
  afterEach(() => vi.useRealTimers());

  test('that leads back to this router is shown as such, and looked at again: it may lead elsewhere', async () => {
    vi.useFakeTimers();
    const { world, dialer: made } = dialer();
    made.start();
    world.own.add('10.9.0.7:6783');
    made.addTargets(['10.9.0.7']);
    await pass(120_000);
    expect(world.dialled).toEqual([]);
    expect(made.targets()).toMatchObject([{ state: 'self', lastError: { code: 'self' } }]);
    world.own.clear();
    world.at.set('10.9.0.7:6783', ben);
    await pass(DEFAULT_TIMINGS.selfRetry);
    expect(made.targets()).toMatchObject([{ state: 'connected', peer: ben }]);
  });

  test('that leads back to this router is looked at again when this host has other addresses', async () => {
    vi.useFakeTimers();
    const { world, dialer: made } = dialer();
    made.start();
    world.at.set('10.9.0.7:6783', 'self');
    made.addTargets(['10.9.0.7']);
    await pass(1_000);
    expect(made.targets()).toMatchObject([{ state: 'self' }]);
    world.at.set('10.9.0.7:6783', ben);
    made.localAddressesChanged();
    await pass(0);
    expect(made.targets()).toMatchObject([{ state: 'connected', peer: ben }]);
  });

  test('that became this router itself is not shown as the peer that it was', async () => {
    vi.useFakeTimers();
    const { world, dialer: made, lose } = dialer();
    made.start();
    world.at.set('10.9.0.7:6783', ben);
    made.addTargets(['10.9.0.7']);
    await pass(0);
    world.at.set('10.9.0.7:6783', 'self');
    lose(ben);
    await pass(1_000);
    expect(made.targets()[0]).toMatchObject({ state: 'self' });
    expect(made.isTarget(ben)).toBe(false);
  });

  test.each([
    '224.0.0.1',
    '255.255.255.255',
    '0.0.0.0',
  ])('%s, that an earlier version took, is not dialled, and says why', async (address) => {
    vi.useFakeTimers();
    const { world, dialer: made } = dialer();
    made.start();
    made.addTargets([address]);
    await pass(60_000);
    expect(world.dialled).toEqual([]);
    expect(made.targets()[0]?.lastError?.message).toMatch(/where no other host can be/);
  });
});

describe('a discovered target', () => {
  afterEach(() => vi.useRealTimers());

  test('is dialled until no source names it any more; a configured one stays, whatever sources say', async () => {
    vi.useFakeTimers();
    const { world, dialer: made } = dialer();
    made.start();
    made.addTargets(['10.9.0.1']);
    made.discoverTargets(['10.9.0.1:6783', '10.9.0.2']);
    await pass(1_000);
    expect(new Set(world.dialled)).toEqual(new Set(['10.9.0.1:6783', '10.9.0.2:6783']));
    made.discoverTargets([]);
    expect(made.targets()).toMatchObject([{ target: '10.9.0.1:6783', configured: true }]);
  });

  test('that is configured and forgotten again is still discovered', () => {
    const { dialer: made } = dialer();
    made.discoverTargets(['10.9.0.1']);
    expect(made.removeTargets(['10.9.0.1'])).toEqual(['10.9.0.1:6783']);
    made.addTargets(['10.9.0.1']);
    expect(made.targets()).toMatchObject([{ configured: true }]);
    expect(made.removeTargets(['10.9.0.1'])).toEqual([]);
    expect(made.targets()).toMatchObject([{ target: '10.9.0.1:6783', configured: false }]);
  });

  test('to which a link was one too many is left alone while its peer is reached over others', async () => {
    vi.useFakeTimers();
    const { world, dialer: made } = dialer();
    made.start();
    world.at.set('10.9.0.1:6783', ben);
    made.discoverTargets(['10.9.0.1']);
    await pass(1_000);
    expect(made.isTarget(ben)).toBe(false);
    world.linked.delete(ben);
    world.reachable.add(ben);
    made.linkDown(ben, new WeftError('surplus-link', 'too many'), 60_000);
    await pass(3_600_000);
    expect(world.dialled).toHaveLength(1);
    world.reachable.delete(ben);
    await pass(300_000);
    expect(world.linked).toContain(ben);
  });
});

describe('the first of several attempts', () => {
  const never = (signal: AbortSignal) =>
    new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))));

  test('is the one that succeeds, and the others are ended', async () => {
    let ended = false;
    const hanging = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => {
        ended = true;
      });
      return never(signal);
    };
    const attempts = [hanging, async () => 'second', async () => Promise.reject(new Error('not begun'))];
    expect(await firstOf(attempts, 1, new AbortController().signal)).toBe('second');
    expect(ended).toBe(true);
  });

  test('may succeed late, while others fail', async () => {
    const late = () => new Promise<string>((resolve) => setTimeout(() => resolve('late'), 20));
    const failing = async () => Promise.reject(new Error('no'));
    expect(await firstOf([late, failing, failing], 1, new AbortController().signal)).toBe('late');
  });

  test('fails with what all say, and when nobody wants it any more', async () => {
    const failing = (why: string) => async () => Promise.reject(new Error(why));
    await expect(
      firstOf([failing('a'), failing('b')], 1, new AbortController().signal),
    ).rejects.toMatchObject({
      errors: [new Error('a'), new Error('b')],
    });
    const unwanted = new AbortController();
    const result = firstOf([never], 1, unwanted.signal);
    unwanted.abort();
    await expect(result).rejects.toBeInstanceOf(AggregateError);
  });
});

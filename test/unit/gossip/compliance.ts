import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WeftError } from '../../../src/errors.js';
import { type GossipChannel, MAX_GOSSIP_BYTES } from '../../../src/gossip/index.js';
import { identityFromSeed } from '../../../src/identity/index.js';

/** One router's end of a channel, without the mesh. */
export interface Replica {
  readonly channel: GossipChannel;
  /** This router makes one of a few changes of its own, as its users would. */
  change(what: number): void;
  /** All that its users see; two replicas agree when these are equal. */
  state(): unknown;
}

export interface Flood {
  /** A replica that keeps at most `cap` things. */
  readonly make: () => Replica;
  readonly cap: number;
  /** How many things it holds. */
  readonly held: () => number;
  /** Deltas of more things than the cap, of a member that makes them up without end. */
  readonly deltas: () => Iterable<Uint8Array>;
}

export interface Implementation {
  readonly name: string;
  /** A replica of one of the routers 0 to 2, which change something, or of router 9, which only listens; each call gives a new one. */
  readonly make: (router: number) => Replica;
  /** Bytes at the beginning of a delta that nobody signs, because they may say anything without harm. */
  readonly unsigned?: number;
  readonly flood: () => Flood;
}

/** The last one is a clone of the first: what the two say has the same versions. */
const ROUTERS = [0, 1, 2, 0];
const LISTENER = 9;
const NEIGHBOUR = identityFromSeed(Buffer.alloc(32, 200)).peer;
/** More steps than any exchange of digests takes. */
const MAX_STEPS = 8;

const change = fc.record({ router: fc.nat(ROUTERS.length - 1), what: fc.nat(5) });
const changes = fc.array(change, { minLength: 1, maxLength: 10 });

/** What every implementation of `GossipChannel` must do so that the mesh can carry it. */
export function gossipChannelCompliance({ name, make, unsigned = 0, flood }: Implementation): void {
  /** The deltas of these changes, in the order in which they were made. */
  const published = (steps: readonly { router: number; what: number }[]): Uint8Array[] => {
    const routers = ROUTERS.map((router) => make(router));
    return steps.flatMap(({ router, what }) => {
      routers[router]?.change(what);
      return (routers[router]?.channel.takeDeltas() ?? []).map((delta) => Buffer.from(delta));
    });
  };
  const listener = (deltas: readonly Uint8Array[] = []): Replica => {
    const replica = make(LISTENER);
    mergeAll(replica, deltas);
    return replica;
  };

  describe(`${name}, as a gossip channel,`, () => {
    test('has a name that fits every message', () => {
      const bytes = Buffer.byteLength(make(0).channel.name);
      expect(bytes).toBeGreaterThan(0);
      expect(bytes).toBeLessThanOrEqual(32);
    });

    test('gives a change once, in deltas that fit a message', () => {
      const replica = make(0);
      replica.change(0);
      const deltas = replica.channel.takeDeltas();
      expect(deltas.length).toBeGreaterThan(0);
      for (const { length } of deltas) expect(length).toBeLessThanOrEqual(MAX_GOSSIP_BYTES);
      expect(replica.channel.takeDeltas()).toEqual([]);
    });

    test('tells another router all that it changed', () => {
      const [author, reader] = [make(0), listener()];
      const before = reader.state();
      author.change(0);
      mergeAll(reader, author.channel.takeDeltas());
      expect(reader.state()).not.toEqual(before);
      repair(author, reader);
      expect(reader.state()).toEqual(author.state());
    });

    test('merges deltas to the same state in whatever order, grouping and repetition', () => {
      fc.assert(
        fc.property(changes, fc.infiniteStream(fc.nat()), (steps, random) => {
          const deltas = published(steps);
          const shuffled = [...deltas, ...deltas]
            .map((delta) => ({ delta, place: random.next().value ?? 0 }))
            .sort((a, b) => a.place - b.place)
            .map(({ delta }) => delta);
          const [one, two] = [listener(deltas), listener(shuffled)];
          expect(two.state()).toEqual(one.state());
          expect(hex(two.channel.digest())).toBe(hex(one.channel.digest()));
        }),
        { numRuns: 40 },
      );
    });

    test('takes no delta for news twice', () => {
      fc.assert(
        fc.property(changes, (steps) => {
          const deltas = published(steps);
          const replica = listener(deltas);
          const before = snapshot(replica);
          for (const delta of deltas) expect(replica.channel.merge(delta, NEIGHBOUR)).toBeNull();
          expect(snapshot(replica)).toEqual(before);
        }),
        { numRuns: 20 },
      );
    });

    test('gives back news that tell the next router all that the delta told it', () => {
      fc.assert(
        fc.property(changes, (steps) => {
          const [first, next] = [listener(), listener()];
          for (const delta of published(steps)) {
            const news = first.channel.merge(delta, NEIGHBOUR);
            if (news !== null) next.channel.merge(Buffer.from(news), NEIGHBOUR);
          }
          expect(next.state()).toEqual(first.state());
        }),
        { numRuns: 20 },
      );
    });

    test('keeps no hold on the bytes of a message', () => {
      const deltas = published([0, 1, 2].map((router) => ({ router, what: 1 })));
      const [kept, untouched] = [listener(), listener(deltas)];
      for (const delta of deltas) {
        const message = Buffer.from(delta);
        kept.channel.merge(message, NEIGHBOUR);
        message.fill(0xff);
      }
      const reader = listener();
      repair(kept, reader);
      expect(reader.state()).toEqual(untouched.state());
    });

    test('repairs by an exchange of digests whatever was lost', () => {
      fc.assert(
        fc.property(changes, fc.infiniteStream(fc.boolean()), (steps, chance) => {
          const deltas = published(steps);
          const lossy = () => listener(deltas.filter(() => chance.next().value));
          const [one, two, whole] = [lossy(), lossy(), listener(deltas)];
          repair(one, two);
          expect(two.state()).toEqual(one.state());
          repair(whole, one);
          expect(one.state()).toEqual(whole.state());
        }),
        { numRuns: 40 },
      );
    });

    test('has nothing to send to a router that has the same', () => {
      const deltas = published([0, 1, 2].map((router) => ({ router, what: 1 })));
      const [one, two] = [listener(deltas), listener(deltas)];
      const digest = one.channel.digest();
      expect(hex(two.channel.digest())).toBe(hex(digest));
      expect(digest.length).toBeLessThanOrEqual(MAX_GOSSIP_BYTES);
      expect(two.channel.answer(digest)).toEqual([]);
      expect(two.channel.refine?.(digest) ?? null).toBeNull();
      expect(repair(one, two)).toBe(0);
    });

    test('refuses a delta that was altered on the way, and is as before', () => {
      const deltas = published([0, 1, 2, 0].map((router, what) => ({ router, what })));
      const alteration = fc.oneof(
        fc.record({ at: fc.nat(), flip: fc.integer({ min: 1, max: 255 }) }),
        fc.record({ cut: fc.nat() }),
        fc.record({ append: fc.uint8Array({ minLength: 1, maxLength: 20 }) }),
      );
      fc.assert(
        fc.property(fc.constantFrom(...deltas), alteration, (delta, how) => {
          const replica = listener();
          const before = snapshot(replica);
          const merging = outcome(() => replica.channel.merge(altered(delta, how, unsigned), NEIGHBOUR));
          expect(merging).not.toBe('news');
          expect(snapshot(replica)).toEqual(before);
        }),
        { numRuns: 300 },
      );
    });

    test('refuses bytes that are no message, as a digest too, and is as before', () => {
      const replica = listener(published([{ router: 0, what: 1 }]));
      const before = snapshot(replica);
      const { channel } = replica;
      // What nobody signs and an empty list are a message.
      const minLength = unsigned === 0 ? 0 : unsigned + 2;
      fc.assert(
        fc.property(fc.uint8Array({ minLength, maxLength: 300 }), (bytes) => {
          expect(outcome(() => channel.merge(bytes, NEIGHBOUR))).not.toBe('news');
          outcome(() => channel.answer(bytes));
          outcome(() => channel.refine?.(bytes));
          expect(snapshot(replica)).toEqual(before);
        }),
        { numRuns: 300 },
      );
    });

    test('keeps no more than its cap, whatever a member makes up, and tells what it keeps', () => {
      const { make: makeCapped, cap, held, deltas } = flood();
      const replica = makeCapped();
      for (const delta of deltas()) outcome(() => replica.channel.merge(delta, NEIGHBOUR));
      expect(held()).toBeGreaterThan(0);
      expect(held()).toBeLessThanOrEqual(cap);
      const reader = makeCapped();
      repair(replica, reader);
      expect(reader.state()).toEqual(replica.state());
    }, 120_000);
  });
}

/** How many of the deltas were news. */
function mergeAll({ channel }: Replica, deltas: readonly Uint8Array[]): number {
  return deltas.filter((delta) => channel.merge(Buffer.from(delta), NEIGHBOUR) !== null).length;
}

/** An exchange of digests, as the mesh does it; gives how many deltas were sent. */
function repair(a: Replica, b: Replica): number {
  let [to, from, sent] = [a, b, 0];
  let digest: Uint8Array | null = from.channel.digest();
  for (let step = 0; digest !== null; step++) {
    if (step === MAX_STEPS) throw new Error('an exchange of digests does not end');
    expect(digest.length).toBeLessThanOrEqual(MAX_GOSSIP_BYTES);
    const deltas = to.channel.answer(digest);
    for (const { length } of deltas) expect(length).toBeLessThanOrEqual(MAX_GOSSIP_BYTES);
    mergeAll(from, deltas);
    sent += deltas.length;
    digest = to.channel.refine === undefined ? null : to.channel.refine(digest);
    [to, from] = [from, to];
  }
  return sent;
}

/** Whether a message was news, known, or refused as it should be. */
function outcome(work: () => unknown): 'news' | 'known' | 'refused' {
  try {
    return (work() ?? null) === null ? 'known' : 'news';
  } catch (error) {
    expect(error).toBeInstanceOf(WeftError);
    return 'refused';
  }
}

function altered(
  delta: Uint8Array,
  how: { at?: number; flip?: number; cut?: number; append?: Uint8Array },
  unsigned: number,
): Uint8Array {
  if (how.append !== undefined) return Buffer.concat([delta, how.append]);
  if (how.cut !== undefined) return Buffer.from(delta.subarray(0, how.cut % delta.length));
  const copy = Buffer.from(delta);
  const at = unsigned + ((how.at ?? 0) % (copy.length - unsigned));
  copy[at] = (copy[at] ?? 0) ^ (how.flip ?? 1);
  return copy;
}

function snapshot({ channel, state }: Replica): unknown {
  return { state: state(), digest: hex(channel.digest()) };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

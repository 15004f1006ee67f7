import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PeerId, peerIdOf } from '../../../../src/identity/index.js';
import type { Election } from '../../../../src/ipam/election/election.js';
import { cheapSigner, newElector, newObserver, repair } from './electors.js';

/** What happens to routers, and how often. A step is a number, from which all of its parts are taken. */
const KINDS = [
  ...Array(1).fill('crash' as const),
  ...Array(6).fill('restart' as const),
  ...Array(2).fill('partition' as const),
  ...Array(3).fill('propose' as const),
  ...Array(4).fill('wait' as const),
  ...Array(1).fill('write' as const),
  ...Array(1).fill('confirm' as const),
  ...Array(2).fill('repeat' as const),
  ...Array(6).fill('repair' as const),
  ...Array(8).fill('tell' as const),
  ...Array(5).fill('round' as const),
];
const anyStep = fc.noBias(fc.nat(2 ** 30));

interface Router {
  readonly index: number;
  election: Election | null;
  disk: Uint8Array | undefined;
  /** Written, but the router does not know it yet. */
  writing: Uint8Array | undefined;
}

/**
 * Routers on a network that loses, repeats, reorders and parts; with disks that keep what was written, and no
 * more.
 */
class World {
  readonly quorum: number;
  readonly #electors: number;
  readonly #routers: Router[];
  readonly #sent: { readonly delta: Uint8Array; readonly from: Router }[] = [];
  /** Routers can talk when their bits in this are the same. */
  #parts = 0;
  #now = 0;
  #agreed: readonly PeerId[] | undefined;

  /** The last router is an observer. None is started yet. */
  constructor(electors: number) {
    this.#electors = electors;
    this.quorum = Math.floor(electors / 2) + 1;
    this.#routers = Array.from({ length: electors + 1 }, (_, index) => ({
      index,
      election: null,
      disk: undefined,
      writing: undefined,
    }));
  }

  get agreed(): readonly PeerId[] | undefined {
    return this.#agreed;
  }

  step(step: number): void {
    const kind = KINDS[step % KINDS.length];
    const which = Math.floor(step / KINDS.length);
    const router = this.#router(which & 15);
    const { election } = router;
    const rest = which >> 4;
    if (kind === 'partition') this.#parts = rest & 64 ? 0 : rest;
    else if (kind === 'restart') this.#start(router);
    else if (kind === 'round') this.#round(rest & (rest >> 8));
    else if (election === null) return;
    else if (kind === 'crash') router.election = null;
    else if (kind === 'propose') election.propose();
    else if (kind === 'wait') this.#wait(election, rest);
    else if (kind === 'write') this.#write(router, election);
    else if (kind === 'confirm') this.#confirm(router, election);
    else if (kind === 'tell') this.#tell(router, election, rest & (rest >> 8));
    else if (kind === 'repair') this.#repair(router, election, this.#router(rest));
    else this.#repeat(router, rest);
    this.#check();
  }

  /**
   * All routers but some are there and can talk: enough of them to decide. Gives back how long that takes, in
   * milliseconds.
   */
  heal(down: readonly number[], random: () => number): number {
    this.#parts = 0;
    for (const router of this.#routers) {
      if (down.includes(router.index)) router.election = null;
      else if (router.election === null) this.#start(router);
    }
    const up = this.#routers.filter(({ election }) => election !== null);
    const began = this.#now;
    up.at(-1)?.election?.propose();
    while (up.some(({ election }) => election?.decided === null)) {
      this.#now += 1000;
      if (this.#now - began > 120_000) throw new Error('routers that can all talk do not decide');
      for (const router of up) this.#healthy(router, up, random);
      this.#check();
    }
    return this.#now - began;
  }

  #healthy(router: Router, up: readonly Router[], random: () => number): void {
    const { election } = router;
    if (election === null) return;
    election.tick(this.#now, random());
    this.#tell(router, election, 0);
    const other = up[Math.floor(random() * up.length)];
    if (other !== undefined && other !== router) this.#repair(router, election, other);
  }

  #router(who: number): Router {
    const router = this.#routers[who % this.#routers.length];
    if (router === undefined) throw new Error('there are no routers');
    return router;
  }

  #start(router: Router): void {
    if (router.election !== null) return;
    const { index, disk } = router;
    router.writing = undefined;
    if (index === this.#electors) router.election = newObserver();
    else
      router.election = newElector(index, this.#electors, {
        incarnation: this.#now,
        ...(disk && { stored: disk }),
      });
  }

  #write(router: Router, { unsaved }: Election): void {
    if (unsaved === null) return;
    router.disk = unsaved;
    router.writing = unsaved;
  }

  #confirm(router: Router, election: Election): void {
    if (router.writing === undefined) return;
    election.saved(router.writing);
    router.writing = undefined;
  }

  /** Nothing happens for a while, and the router may lose its patience. */
  #wait(election: Election, rest: number): void {
    election.tick(this.#now, (rest % 7) / 7);
    this.#now += rest % 10_000;
    election.tick(this.#now, 0);
  }

  /** All tell what they have. */
  #round(lost: number): void {
    for (const router of this.#routers)
      if (router.election !== null) this.#tell(router, router.election, lost >> router.index);
  }

  /** Stores and tells; a bit for each of the others says whether the messages are lost. */
  #tell(from: Router, election: Election, lost: number): void {
    this.#write(from, election);
    this.#confirm(from, election);
    const news = election.takeDeltas();
    this.#sent.push(...news.map((delta) => ({ delta, from })));
    for (const to of this.#routers)
      if (((lost >> to.index) & 1) === 0) for (const delta of news) this.#deliver(delta, from, to);
  }

  /** A message of before arrives, late or again. */
  #repeat(to: Router, rest: number): void {
    const message = this.#sent[rest % this.#sent.length];
    if (message !== undefined) this.#deliver(message.delta, message.from, to);
  }

  #deliver(delta: Uint8Array, from: Router, to: Router): void {
    if (to === from || to.election === null || !this.#canTalk(from, to)) return;
    const news = to.election.merge(delta);
    if (news !== null) this.#sent.push({ delta: news, from: to });
  }

  #repair(one: Router, election: Election, two: Router): void {
    if (two.election !== null && this.#canTalk(one, two)) repair(election, two.election);
  }

  #canTalk(a: Router, b: Router): boolean {
    return ((this.#parts >> a.index) & 1) === ((this.#parts >> b.index) & 1);
  }

  /** Nobody, at any time, knows another decision than the first. */
  #check(): void {
    for (const { election } of this.#routers) {
      if (!election?.decided) continue;
      this.#agreed ??= election.decided;
      expect(election.decided).toEqual(this.#agreed);
    }
  }
}

const anyElection = fc.record({
  electors: fc.constantFrom(1, 2, 3, 3, 3, 4, 5),
  steps: fc.array(anyStep, { minLength: 40, maxLength: 160, size: 'max' }),
  down: fc.uniqueArray(fc.nat(4), { maxLength: 2 }),
  random: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
});

describe('an election among routers that crash, part, and lose, repeat and reorder messages', () => {
  test('has at most one outcome, and has one once a majority can talk', { timeout: 60_000 }, () => {
    const seen = { early: 0, late: 0 };
    fc.assert(
      fc.property(anyElection, ({ electors, steps, down, random }) => {
        const world = new World(electors);
        for (const step of steps) world.step(step);
        seen[world.agreed === undefined ? 'late' : 'early'] += 1;
        world.heal(down.slice(0, electors - world.quorum), () => random.next().value ?? 0);
        const agreed = world.agreed ?? [];
        const all = Array.from({ length: electors }, (_, index) => peerIdOf(cheapSigner(index).publicKey));
        expect(agreed).toEqual(all.sort().filter((peer) => agreed.includes(peer)));
        expect(agreed.length).toBeGreaterThanOrEqual(world.quorum);
      }),
      { numRuns: 150 },
    );
    // Some decide in the midst of all faults, some only later.
    expect(seen.early).toBeGreaterThan(15);
    expect(seen.late).toBeGreaterThan(15);
  });
});

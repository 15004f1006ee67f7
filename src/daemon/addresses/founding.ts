import { setTimeout as delay } from 'node:timers/promises';
import type { OpenChannel } from '../../gossip/index.js';
import { type Identity, isPeerId, type PeerId } from '../../identity/index.js';
import { Election, signerOf } from '../../ipam/index.js';
import type { Mesh } from '../../mesh/index.js';
import type { StateFiles } from '../state/index.js';
import type { Init } from './ipalloc.js';

const TICK = 100;
/** How long the start waits for the names of the others. While DNS is silent, the vote begins later. */
const NAMES_PATIENCE = 300;
/** How long the others have to tell a router that is called by its nickname, and may have had an earlier life, that the network has begun. */
const OTHERS_PATIENCE = 10_000;

export interface FoundingOptions {
  readonly identity: Identity;
  readonly mesh: Pick<Mesh, 'members' | 'off' | 'on' | 'openChannel'>;
  readonly init: Init;
  /** Routers that were named at launch, and this one. */
  readonly named: () => Promise<number>;
  readonly file: StateFiles['vote'];
  /** There is a ring: nothing is to be founded any more. */
  readonly isFounded: () => boolean;
  /** Splits the range between these. */
  readonly found: (founders: readonly PeerId[]) => void;
  readonly onFailure: (error: unknown) => void;
}

/** How a network's ring of addresses begins: with whoever made the network, with those that are named, or with those that a vote finds. */
export class Founding {
  readonly #options: FoundingOptions;
  #election: Election | undefined;
  #electors = 0;
  #incarnation = 0;
  #channel: OpenChannel | undefined;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: FoundingOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { init, identity, found, isFounded, onFailure } = this.#options;
    if (isFounded()) return;
    if (init.kind === 'creator') found([identity.peer]);
    if (init.kind === 'seed') this.#awaitSeeds(init.seeds);
    if (init.kind === 'consensus') {
      const voting = this.#vote(init.electors).catch((error: unknown) => {
        if (!this.#stopped) onFailure(error);
      });
      await Promise.race([voting, delay(NAMES_PATIENCE, undefined, { ref: false })]);
    }
    if (init.kind === 'observer') this.#hold(new Election({ signer: signerOf(identity) }));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#channel?.close();
    await this.#saving;
  }

  /** What this router waits for, in words; null when it waits for nothing. */
  get note(): string | null {
    const { init, isFounded } = this.#options;
    if (isFounded() || init.kind === 'creator') return null;
    if (init.kind === 'join') return 'no router that owns addresses was met yet';
    if (init.kind === 'seed') return `not all of ${init.seeds.join(', ')} were met yet`;
    if (init.kind === 'observer') return 'the routers that elect have not decided who shares the addresses';
    return this.#electionNote();
  }

  #electionNote(): string {
    if (this.#election === undefined) {
      return 'no DNS server says yet which of the routers that were named at launch is this one';
    }
    const { electors, quorum, retired } = this.#election;
    if (retired) {
      return 'this router voted before and lost what it said: the others decide without it';
    }
    return `${quorum} of the ${this.#electors} routers that were named at launch must meet to share the addresses, ${electors.length} did`;
  }

  /** Ids say all at once; whoever is called by its nickname must be met first, and be patient itself. */
  #awaitSeeds(seeds: readonly string[]): void {
    const { identity, mesh, found, isFounded } = this.#options;
    let isPatient = !seeds.some((seed) => seed.toLowerCase() === identity.peer);
    const look = () => {
      const members = mesh.members();
      const founders = seeds.map((seed) => {
        const id = seed.toLowerCase();
        return isPeerId(id) ? [id] : members.flatMap(({ peer, nickname }) => (nickname === seed ? peer : []));
      });
      if (isFounded() || founders.some(({ length }) => length !== 1)) return;
      if (isPatient && founders.flat().includes(identity.peer)) return;
      mesh.off('member', look);
      found(founders.flat());
    };
    mesh.on('member', look);
    this.#timer = setTimeout(() => {
      isPatient = false;
      look();
    }, OTHERS_PATIENCE);
    look();
  }

  async #vote(asked: number | undefined): Promise<void> {
    const { identity, file, named, isFounded } = this.#options;
    const stored = await file.read();
    const isFirst = stored.state === '';
    this.#electors = isFirst || asked !== undefined ? (asked ?? (await named())) : stored.electors;
    this.#incarnation = isFirst ? Date.now() : stored.incarnation;
    const state = isFirst ? {} : { stored: Buffer.from(stored.state, 'hex') };
    if (this.#stopped || isFounded()) return;
    const elector = { electors: this.#electors, incarnation: this.#incarnation, ...state };
    this.#hold(new Election({ signer: signerOf(identity), elector }));
  }

  #hold(election: Election): void {
    const { mesh, isFounded } = this.#options;
    this.#election = election;
    // Where there is a ring, what was said before counts no more: whoever still votes hears of the ring itself.
    this.#channel = mesh.openChannel({
      name: 'election',
      takeDeltas: () => (isFounded() ? [] : election.takeDeltas()),
      merge: (delta) => {
        if (isFounded()) return null;
        const news = election.merge(delta);
        this.#advance();
        return news;
      },
      digest: () => election.digest(),
      refine: (digest) => (isFounded() ? null : election.refine(digest)),
      answer: (digest) => (isFounded() ? [] : election.answer(digest)),
    });
    this.#advance();
    this.#saving = this.#saving.then(() => {
      if (isFounded()) return;
      election.propose();
      this.#advance();
    });
    this.#timer = setInterval(() => {
      if (isFounded()) clearInterval(this.#timer);
      else election.tick(performance.now(), Math.random());
      this.#advance();
    }, TICK);
  }

  /** Writes the vote before anybody hears of it. */
  #advance(): void {
    this.#saving = this.#saving
      .then(() => this.#save())
      .catch((error: unknown) => this.#options.onFailure(error));
  }

  async #save(): Promise<void> {
    const election = this.#election;
    if (election === undefined) return;
    const state = election.unsaved;
    if (state !== null) {
      await this.#options.file.write(() => ({
        electors: this.#electors,
        incarnation: this.#incarnation,
        state: Buffer.from(state).toString('hex'),
      }));
      election.saved(state);
    }
    this.#channel?.changed();
    const { isFounded, found } = this.#options;
    if (election.decided !== null && !isFounded()) found(election.decided);
  }
}

/** How many routers share a password, when all are launched with the names of all: those that are named, and this one if it is not. */
export async function countNamed(
  targets: readonly string[],
  ownAddresses: readonly string[],
  addressesOf: (host: string) => Promise<readonly string[]>,
): Promise<number> {
  const isOwn = await Promise.all(
    targets.map(async (host) => (await addressesOf(host)).some((address) => ownAddresses.includes(address))),
  );
  return isOwn.filter((own) => !own).length + 1;
}

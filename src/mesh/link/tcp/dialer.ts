import { lookup } from 'node:dns/promises';
import { formatHostPort, type HostPort, parseHostPort } from '../../../address.js';
import { WeftError } from '../../../errors.js';
import type { PeerId } from '../../../identity/index.js';
import { Backoff } from './backoff.js';
import type { DialTimings as MeshTimings, TargetState, TargetView } from './types.js';

/** Whoever has links enough is left alone for so long, in milliseconds. */
const SURPLUS_PAUSE = 300_000;
/** So many milliseconds for each member the other end is given to dial first. */
const PATIENCE = 50;

export interface DialerOptions {
  readonly timings: MeshTimings;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Makes a link; rejects with a WeftError, with code `self` when we reached ourselves. */
  readonly dial: (address: HostPort, signal: AbortSignal) => Promise<PeerId>;
  readonly isLinked: (peer: PeerId) => boolean;
  /** An attempt failed; `news` when the one before it did not fail in the same way. */
  readonly onFailure: (error: WeftError, target: string, news: boolean) => void;
}

/** Somebody to be linked to: a configured target (one address, the peer found out) or a member (the peer known). */
interface Quest {
  readonly name: string;
  readonly addresses: () => readonly HostPort[];
  readonly backoff: Backoff;
  readonly abort: AbortController;
  peer: PeerId | undefined;
  state: TargetState;
  retryAt: number | undefined;
  timer: NodeJS.Timeout | undefined;
  lastError: WeftError | undefined;
}

/** Keeps links to configured targets and to known members: dials, and dials again with backoff. */
export class Dialer {
  readonly #options: DialerOptions;
  /** By the canonical form of the target. */
  readonly #targets = new Map<string, Quest>();
  readonly #members = new Map<PeerId, Quest>();
  #started = false;

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  /** Begins to dial. */
  start(): void {
    this.#started = true;
    for (const quest of this.#targets.values()) void this.#attempt(quest);
  }

  /** Adds targets that are not there yet. Throws `bad-address` before anything is changed. */
  addTargets(targets: readonly string[]): void {
    for (const [key, address] of this.#parse(targets)) {
      if (this.#targets.has(key)) continue;
      const quest = this.#newQuest(key, () => [address]);
      this.#targets.set(key, quest);
      if (this.#started) void this.#attempt(quest);
    }
  }

  /** Removes targets; returns those that were not there. Throws `bad-address` before anything is changed. */
  removeTargets(targets: readonly string[]): string[] {
    return this.#parse(targets)
      .filter(([key]) => !remove(this.#targets, key))
      .map(([key]) => key);
  }

  /** Removes all targets but these. */
  retainTargets(targets: readonly string[]): void {
    const kept = new Set(this.#parse(targets).map(([key]) => key));
    for (const key of this.#targets.keys()) if (!kept.has(key)) remove(this.#targets, key);
  }

  targetNames(): string[] {
    return [...this.#targets.keys()];
  }

  targets(): TargetView[] {
    return [...this.#targets.values()].map(({ name, state, peer, retryAt, lastError }) => ({
      target: name,
      state,
      ...(peer === undefined ? {} : { peer }),
      ...(retryAt === undefined ? {} : { retryAt }),
      ...(lastError === undefined ? {} : { lastError: { code: lastError.code, message: lastError.message } }),
    }));
  }

  /**
   * Keeps a link to a member. `addresses` is asked at each attempt. When both ends come to know each other at once, one should be
   * `eager` and the other not: the second gives the first time to dial, the more the more others it may have to dial as well.
   */
  addMember(peer: PeerId, eager: boolean, addresses: () => readonly HostPort[]): void {
    if (this.#members.has(peer)) return;
    const quest = this.#newQuest(peer, addresses);
    quest.peer = peer;
    this.#members.set(peer, quest);
    this.#schedule(quest, eager ? 0 : quest.backoff.next() + PATIENCE * this.#members.size);
  }

  removeMember(peer: PeerId): void {
    remove(this.#members, peer);
  }

  /** This peer was found at a configured target. */
  isTarget(peer: PeerId): boolean {
    for (const target of this.#targets.values()) if (target.peer === peer) return true;
    return false;
  }

  linkUp(peer: PeerId): void {
    for (const quest of this.#questsFor(peer)) {
      clearTimeout(quest.timer);
      quest.state = 'connected';
      quest.retryAt = undefined;
      quest.lastError = undefined;
    }
  }

  /** Dials again: at once, if the link had lived for a while (`lifetime` in milliseconds). */
  linkDown(peer: PeerId, reason: WeftError, lifetime: number): void {
    for (const quest of this.#questsFor(peer)) {
      quest.lastError = reason;
      if (reason.code === 'surplus-link') {
        this.#schedule(quest, SURPLUS_PAUSE);
        continue;
      }
      const stable = lifetime >= this.#options.timings.backoffReset;
      if (stable) quest.backoff.reset();
      this.#schedule(quest, stable ? 0 : quest.backoff.next());
    }
  }

  /** There is reason to believe that this peer can be reached again. */
  retry(peer: PeerId): void {
    for (const quest of this.#questsFor(peer)) {
      if (quest.state !== 'waiting') continue;
      quest.backoff.reset();
      this.#schedule(quest, 0);
    }
  }

  stop(): void {
    this.#started = false;
    for (const key of this.#targets.keys()) remove(this.#targets, key);
    for (const key of this.#members.keys()) remove(this.#members, key);
  }

  #questsFor(peer: PeerId): Quest[] {
    return [...this.#targets.values(), ...this.#members.values()].filter((quest) => quest.peer === peer);
  }

  #parse(targets: readonly string[]): [string, HostPort][] {
    return targets.map((target) => {
      const address = parseHostPort(target);
      return [formatHostPort(address), address];
    });
  }

  #newQuest(name: string, addresses: () => readonly HostPort[]): Quest {
    const { timings, random } = this.#options;
    return {
      name,
      addresses,
      backoff: new Backoff(timings.backoffInitial, timings.backoffMax, random),
      abort: new AbortController(),
      peer: undefined,
      state: 'waiting',
      retryAt: undefined,
      timer: undefined,
      lastError: undefined,
    };
  }

  #schedule(quest: Quest, delay: number): void {
    if (quest.abort.signal.aborted || quest.state === 'connecting') return;
    clearTimeout(quest.timer);
    quest.state = 'waiting';
    quest.retryAt = Math.round(Date.now() + delay);
    quest.timer = setTimeout(() => void this.#attempt(quest), delay);
  }

  async #attempt(quest: Quest): Promise<void> {
    if (quest.peer !== undefined && this.#options.isLinked(quest.peer)) {
      quest.state = 'connected';
      return;
    }
    quest.state = 'connecting';
    quest.retryAt = undefined;
    try {
      quest.peer = await this.#dialAny(quest);
      quest.lastError = undefined;
      // The link may be gone again by now.
      quest.state = 'waiting';
      if (this.#options.isLinked(quest.peer)) quest.state = 'connected';
      else this.#schedule(quest, quest.backoff.next());
    } catch (error) {
      if (!quest.abort.signal.aborted) this.#onFailed(quest, asDialError(error));
    }
  }

  #onFailed(quest: Quest, error: WeftError): void {
    const linked = quest.peer !== undefined && this.#options.isLinked(quest.peer);
    const news = quest.lastError?.code !== error.code;
    quest.lastError = linked ? undefined : error;
    if (error.code === 'self') {
      quest.state = 'self';
      return;
    }
    quest.state = linked ? 'connected' : 'waiting';
    if (linked) return;
    this.#options.onFailure(error, quest.name, news);
    this.#schedule(quest, quest.backoff.next());
  }

  /** Tries all addresses in turn; the error of the last attempt counts. */
  async #dialAny(quest: Quest): Promise<PeerId> {
    let lastError: unknown = new WeftError('no-address', 'no address of this peer is known');
    for (const target of quest.addresses()) {
      for (const address of await resolve(target)) {
        quest.abort.signal.throwIfAborted();
        try {
          return await this.#options.dial(address, quest.abort.signal);
        } catch (error) {
          lastError = error;
        }
      }
    }
    throw lastError;
  }
}

function remove<K>(quests: Map<K, Quest>, key: K): boolean {
  const quest = quests.get(key);
  if (quest === undefined) return false;
  clearTimeout(quest.timer);
  quest.abort.abort();
  return quests.delete(key);
}

/** All addresses of a DNS name, asked anew at each attempt, since they change. */
async function resolve(address: HostPort): Promise<HostPort[]> {
  if (address.kind !== 'name') return [address];
  try {
    const found = await lookup(address.host, { all: true });
    return found.map(({ address: host, family }) => ({
      kind: family === 6 ? 'ipv6' : 'ipv4',
      host,
      port: address.port,
    }));
  } catch (error) {
    throw new WeftError(
      'name-not-found',
      `the name ${address.host} cannot be resolved (${String(error)}): check the spelling and /etc/resolv.conf`,
      { cause: error },
    );
  }
}

function asDialError(error: unknown): WeftError {
  if (error instanceof WeftError) return error;
  return new WeftError('connect-failed', `the connection failed: ${String(error)}`, { cause: error });
}

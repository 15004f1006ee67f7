import { Backoff } from '../../../backoff.js';
import { systemCode, WeftError } from '../../../errors.js';
import type { PeerId } from '../../../identity/index.js';
import {
  formatHostPort,
  type HostPort,
  isDialable,
  parseHostPort,
  resolveHostPort,
} from '../../../net/index.js';
import { firstOf } from './first-of.js';
import type { DialTimings, TargetState, TargetView } from './types.js';

/** Whoever has links enough is left alone for so long, in milliseconds. */
const SURPLUS_PAUSE = 300_000;
/** Time that the other end is given to dial first, in milliseconds for each member. */
const PATIENCE = 50;
/** An address that does not answer holds up the next for so long, in milliseconds: longer than a handshake takes on a busy machine. */
const STAGGER = 2_000;

export interface DialerOptions {
  readonly timings: DialTimings;
  /** From 0 to 1. */
  readonly random: () => number;
  /**
   * Makes a link, to `wanted` if that is given. Rejects with a WeftError: with code `self` when we reached ourselves, and with `other-peer` when
   * we reached somebody else than was wanted.
   */
  readonly dial: (address: HostPort, signal: AbortSignal, wanted: PeerId | undefined) => Promise<PeerId>;
  /** What is true for the addresses that lead back to this router, as things are now. */
  readonly ownAddresses: () => (address: HostPort) => boolean;
  readonly isLinked: (peer: PeerId) => boolean;
  /** Messages get to this peer, over others if not straight. */
  readonly isReachable: (peer: PeerId) => boolean;
  /** An attempt failed; `news` when the one before it did not fail in the same way. */
  readonly onFailure: (error: WeftError, target: string, news: boolean) => void;
}

/** Who wants a link to a target: the operator, a source of targets, or both. */
type Wish = 'configured' | 'discovered';

/** Somebody to be linked to: a target (one address, the peer found out) or a member (the peer known). */
interface Quest {
  readonly name: string;
  /** None for a member. */
  readonly wishes: Set<Wish>;
  /** The member; undefined for a target. */
  readonly member: PeerId | undefined;
  readonly addresses: () => readonly HostPort[];
  readonly backoff: Backoff;
  readonly abort: AbortController;
  peer: PeerId | undefined;
  state: TargetState;
  attempting: boolean;
  retryAt: number | undefined;
  timer: NodeJS.Timeout | undefined;
  lastError: WeftError | undefined;
}

/** Keeps links to targets and to known members: dials, and dials again with backoff. */
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

  /** Adds configured targets that are not there yet. Throws `bad-address` before anything is changed. */
  addTargets(targets: readonly string[]): void {
    for (const [key, address] of this.#parse(targets)) this.#wish('configured', key, address);
  }

  /** Removes configured targets; returns those that were not there. Throws `bad-address` before anything is changed. */
  removeTargets(targets: readonly string[]): string[] {
    return this.#parse(targets)
      .filter(([key]) => !this.#unwish('configured', key))
      .map(([key]) => key);
  }

  /** Removes all configured targets but these. */
  retainTargets(targets: readonly string[]): void {
    const kept = new Set(this.#parse(targets).map(([key]) => key));
    for (const key of this.#targets.keys()) if (!kept.has(key)) this.#unwish('configured', key);
  }

  /** Makes these the discovered targets, in place of those before; the configured ones stay. Throws `bad-address` before anything is changed. */
  discoverTargets(targets: readonly string[]): void {
    const found = new Map(this.#parse(targets));
    for (const key of this.#targets.keys()) if (!found.has(key)) this.#unwish('discovered', key);
    for (const [key, address] of found) this.#wish('discovered', key, address);
  }

  /** Those that are configured. */
  targetNames(): string[] {
    return [...this.#targets.values()].filter(isConfigured).map(({ name }) => name);
  }

  targets(): TargetView[] {
    return [...this.#targets.values()].map(({ name, wishes, state, peer, retryAt, lastError }) => ({
      target: name,
      configured: wishes.has('configured'),
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
    const quest = this.#newQuest(peer, peer, addresses);
    this.#members.set(peer, quest);
    this.#schedule(quest, eager ? 0 : quest.backoff.next() + PATIENCE * this.#members.size);
  }

  removeMember(peer: PeerId): void {
    remove(this.#members, peer);
  }

  /** This peer was found at a configured target. */
  isTarget(peer: PeerId): boolean {
    return this.#questsFor(peer).some(isConfigured);
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

  /** This host has other addresses than before: what could not be reached may be reached now, and what was ourselves is another. */
  localAddressesChanged(): void {
    for (const quest of [...this.#targets.values(), ...this.#members.values()]) {
      if (quest.retryAt === undefined || quest.lastError?.code === 'surplus-link') continue;
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

  /** A source may name many at once, which are not all dialled in one moment. */
  #wish(wish: Wish, key: string, address: HostPort): void {
    const known = this.#targets.get(key);
    const quest = known ?? this.#newQuest(key, undefined, () => [address]);
    quest.wishes.add(wish);
    if (known !== undefined) return;
    this.#targets.set(key, quest);
    if (!this.#started) return;
    if (wish === 'configured') void this.#attempt(quest);
    else this.#schedule(quest, this.#options.random() * PATIENCE * this.#targets.size);
  }

  /** False when there was no such wish. */
  #unwish(wish: Wish, key: string): boolean {
    const quest = this.#targets.get(key);
    if (quest === undefined || !quest.wishes.delete(wish)) return false;
    if (quest.wishes.size === 0) remove(this.#targets, key);
    return true;
  }

  #parse(targets: readonly string[]): [string, HostPort][] {
    return targets.map((target) => {
      const address = parseHostPort(target);
      return [formatHostPort(address), address];
    });
  }

  #newQuest(name: string, member: PeerId | undefined, addresses: () => readonly HostPort[]): Quest {
    const { timings, random } = this.#options;
    return {
      name,
      wishes: new Set(),
      member,
      addresses,
      backoff: new Backoff(timings.backoffInitial, timings.backoffMax, random),
      abort: new AbortController(),
      peer: member,
      state: 'waiting',
      attempting: false,
      retryAt: undefined,
      timer: undefined,
      lastError: undefined,
    };
  }

  #schedule(quest: Quest, delay: number, state: TargetState = 'waiting'): void {
    if (quest.abort.signal.aborted || quest.attempting) return;
    clearTimeout(quest.timer);
    quest.state = state;
    quest.retryAt = Math.round(Date.now() + delay);
    quest.timer = setTimeout(() => void this.#attempt(quest), delay);
  }

  async #attempt(quest: Quest): Promise<void> {
    quest.retryAt = undefined;
    if (quest.peer !== undefined && this.#options.isLinked(quest.peer)) {
      quest.state = 'connected';
      return;
    }
    if (this.#isLeftToOthers(quest)) return this.#schedule(quest, SURPLUS_PAUSE);
    // What was ourselves most likely still is.
    if (quest.state !== 'self') quest.state = 'connecting';
    quest.attempting = true;
    const outcome = await this.#dialAny(quest).catch(asDialError);
    quest.attempting = false;
    if (outcome instanceof WeftError) this.#onFailed(quest, outcome);
    else this.#onReached(quest, outcome);
  }

  /** In a large mesh each router keeps a few links only, while sources name all routers. */
  #isLeftToOthers({ wishes, peer, lastError }: Quest): boolean {
    if (peer === undefined || lastError?.code !== 'surplus-link') return false;
    return wishes.size > 0 && !wishes.has('configured') && this.#options.isReachable(peer);
  }

  #onReached(quest: Quest, peer: PeerId): void {
    quest.peer = peer;
    quest.lastError = undefined;
    // The link may be gone again by now.
    if (this.#options.isLinked(peer)) quest.state = 'connected';
    else this.#schedule(quest, quest.backoff.next());
  }

  #onFailed(quest: Quest, error: WeftError): void {
    if (quest.abort.signal.aborted) return;
    const news = quest.lastError?.code !== error.code;
    quest.lastError = error;
    if (error.code === 'self') {
      quest.peer = undefined;
      this.#schedule(quest, this.#options.timings.selfRetry, 'self');
    } else if (quest.peer !== undefined && this.#options.isLinked(quest.peer)) {
      quest.lastError = undefined;
      quest.state = 'connected';
    } else {
      this.#options.onFailure(error, quest.name, news);
      this.#schedule(quest, quest.backoff.next());
    }
  }

  /**
   * Tries all addresses that are not our own. Of several errors the last one counts. An address that leads to ourselves is one that failed: for a
   * member like any other; for a target, it is what it is when there is no other.
   */
  async #dialAny(quest: Quest): Promise<PeerId> {
    const { dial, ownAddresses } = this.#options;
    const known = (await Promise.all(quest.addresses().map(resolveHostPort))).flat();
    const isOwn = ownAddresses();
    const others = known.filter((address) => isDialable(address.host) && !isOwn(address));
    if (others.length === 0) throw undialable(quest, known, known.some(isOwn));
    try {
      const attempts = others.map((address) => (signal: AbortSignal) => dial(address, signal, quest.member));
      return await firstOf(attempts, STAGGER, quest.abort.signal);
    } catch (error) {
      const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
      const telling = errors.findLast((each) => systemCode(each) !== 'self');
      throw telling ?? undialable(quest, known, true);
    }
  }
}

function isConfigured({ wishes }: Quest): boolean {
  return wishes.has('configured');
}

function remove<K>(quests: Map<K, Quest>, key: K): boolean {
  const quest = quests.get(key);
  if (quest === undefined) return false;
  clearTimeout(quest.timer);
  quest.abort.abort();
  return quests.delete(key);
}

/** Why there is nothing to dial. */
function undialable({ name, member }: Quest, known: readonly HostPort[], isOwn: boolean): WeftError {
  if (member === undefined && isOwn) return new WeftError('self', 'the address leads back to this router');
  if (member === undefined) {
    const where = known.map(({ host }) => host).join(', ') || 'nowhere';
    return new WeftError('no-address', `${name} leads to ${where}, where no other host can be`);
  }
  const whose = isOwn ? ' but those that this host has, too' : '';
  return new WeftError('no-address', `no address of this peer is known${whose}`);
}

function asDialError(error: unknown): WeftError {
  if (error instanceof WeftError) return error;
  return new WeftError('connect-failed', `the connection failed: ${String(error)}`, { cause: error });
}

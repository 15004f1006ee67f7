import type { Connection } from '../../api/index.js';
import type { Clock } from '../../clock.js';
import { type Change, Damper, type Journal, type PathWord, pathWord } from '../../events/index.js';
import type { Forwarder, ForwarderEvent } from '../../forwarder/index.js';
import type { PeerId } from '../../identity/index.js';
import type { ConnectionView, Overlay } from '../../overlay/index.js';
import type { KernelPaths } from '../kernel-paths/index.js';
import { connectionView } from '../views.js';
import { subjectOf } from './peers.js';

/** How long changes are collected before they are looked at, in milliseconds: one often brings others. */
const DELAY = 250;
/** Share of the time that is spent on looking at most. */
const MOST_WORK = 0.1;
/** What says that a path may be another one now. */
const HINTS: readonly ForwarderEvent['name'][] = ['peer-up', 'peer-down', 'transport'];

export interface PathEventsOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly overlay: Pick<Overlay, 'connections' | 'on'>;
  readonly forwarder: Pick<Forwarder, 'connected' | 'on'>;
  readonly kernelPaths: Pick<KernelPaths, 'on' | 'view'> | undefined;
  readonly nicknameOf: (peer: string) => string;
}

interface Path {
  readonly word: PathWord;
  readonly via: string | null;
  readonly reason: string | null;
}

const NO_PATH: Path = { word: 'none', via: null, reason: null };

/** Tells how packets get to the other routers, when that changes, and how large they may be. */
export class PathEvents {
  readonly #options: PathEventsOptions;
  readonly #paths = new Damper<Path>((a, b) => a.word === b.word && a.via === b.via);
  readonly #mtus = new Damper<number | null>((a, b) => a === b);
  #pause = DELAY;
  #isDue = false;
  #cancelDue = () => {};

  constructor(options: PathEventsOptions) {
    this.#options = options;
  }

  follow(): void {
    const { overlay, forwarder, kernelPaths } = this.#options;
    kernelPaths?.on('moved', () => this.#lookSoon());
    overlay.on('next-hop', () => this.#lookSoon());
    overlay.on('session', () => this.#lookSoon());
    forwarder.on('ready', () => this.#lookSoon());
    forwarder.on('event', (event) => {
      if (HINTS.includes(event.name)) this.#lookSoon();
      if (event.name === 'path-mtu') this.#seeMtu(event.fields);
    });
    this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#options.clock.after(this.#pause, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { overlay, forwarder, clock } = this.#options;
    this.#isDue = false;
    const began = clock.now();
    // Without a forwarder nobody is reached, which another event says.
    const connections = forwarder.connected ? await overlay.connections() : [];
    this.#pause = Math.max(DELAY, (clock.now() - began) / MOST_WORK);
    if (!forwarder.connected) return;
    const known = new Set<string>(connections.map(({ peer }) => peer));
    for (const damper of [this.#paths, this.#mtus]) {
      for (const peer of damper.keys()) if (!known.has(peer)) damper.forget(peer);
    }
    for (const connection of connections) this.#see(connection);
    this.#tellLater();
  }

  #see(view: ConnectionView): void {
    const { clock, kernelPaths } = this.#options;
    const path = lookOf(connectionView(view, kernelPaths));
    const change = this.#paths.see(view.peer, path, NO_PATH, clock.now());
    if (change !== undefined) this.#tellPath(change);
  }

  #seeMtu({ peer, pathMtu }: { readonly peer: string; readonly pathMtu: number }): void {
    const change = this.#mtus.see(peer, pathMtu, null, this.#options.clock.now());
    if (change !== undefined) this.#tellMtu(change);
    this.#tellLater();
  }

  /** Wakes up when changes that were held back are to be told. */
  #tellLater(): void {
    const { clock } = this.#options;
    this.#cancelDue();
    const next = Math.min(this.#paths.nextDue, this.#mtus.nextDue);
    if (next === Infinity) return;
    this.#cancelDue = clock.after(next - clock.now(), () => {
      for (const change of this.#paths.due(clock.now())) this.#tellPath(change);
      for (const change of this.#mtus.due(clock.now())) this.#tellMtu(change);
      this.#tellLater();
    });
  }

  #tellPath({ key, before, now, changes }: Change<Path>): void {
    const { word: path, via, reason } = now;
    const details = { ...this.#peer(key), path, before: before.word, via, reason, changes };
    this.#options.journal.record('path-changed', subjectOf(key as PeerId), details);
  }

  #tellMtu({ key, before, now, changes }: Change<number | null>): void {
    if (now === null) return;
    const details = { ...this.#peer(key), mtu: now, before, changes };
    this.#options.journal.record('mtu-changed', subjectOf(key as PeerId), details);
  }

  #peer(peer: string) {
    return { peer, nickname: this.#options.nicknameOf(peer) };
  }
}

function lookOf(connection: Connection): Path {
  const { path, viaNickname, reason } = connection;
  return { word: pathWord(connection), via: path === 'relay' ? viaNickname : null, reason: reason ?? null };
}

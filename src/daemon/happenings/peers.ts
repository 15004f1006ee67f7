import type { Journal } from '../../events/index.js';
import type { PeerId } from '../../identity/index.js';
import type { MemberView, Mesh } from '../../mesh/index.js';

export interface PeerEventsOptions {
  readonly journal: Journal;
  readonly mesh: Pick<Mesh, 'members' | 'on'>;
  /** Whether somebody may take part in whatever run. */
  readonly isExpelled: (peer: PeerId) => boolean;
}

/** Tells which other routers come and go. */
export class PeerEvents {
  readonly #options: PeerEventsOptions;
  /** Those who are there, and what they call themselves. */
  readonly #present = new Map<PeerId, string>();

  constructor(options: PeerEventsOptions) {
    this.#options = options;
  }

  /** From now on; each other router joins once in a run. */
  follow(): void {
    const { mesh } = this.#options;
    for (const member of mesh.members()) this.#see(member);
    mesh.on('member', (member) => this.#see(member));
    mesh.on('forgotten', (peer) => this.#forgotten(peer));
    mesh.on('removed', (peer, by) => this.#removed(peer, by));
  }

  #see({ peer, nickname, self, left, down }: MemberView): void {
    if (self) return;
    const { journal } = this.#options;
    const isPresent = !left && !down;
    const wasPresent = this.#present.has(peer);
    if (isPresent) this.#present.set(peer, nickname);
    else this.#present.delete(peer);
    if (isPresent && !wasPresent) journal.record('peer-joined', subjectOf(peer), { peer, nickname });
    if (isPresent || !wasPresent) return;
    journal.record('peer-left', subjectOf(peer), { peer, nickname, how: left ? 'left' : 'lost' });
  }

  /** Somebody may say in a moment that it was expelled; else trust begins anew without it. */
  #forgotten(peer: PeerId): void {
    queueMicrotask(() => {
      const nickname = this.#present.get(peer);
      if (nickname === undefined) return;
      this.#present.delete(peer);
      this.#options.journal.record('peer-left', subjectOf(peer), { peer, nickname, how: 'left' });
    });
  }

  #removed(peer: PeerId, by: PeerId): void {
    const nickname = this.#present.get(peer) ?? '';
    const how = this.#options.isExpelled(peer) ? 'expelled' : 'removed';
    // One that was removed in an earlier run of its may be here.
    if (how === 'expelled') this.#present.delete(peer);
    this.#options.journal.record('peer-expelled', subjectOf(peer), { peer, nickname, by, how }, by);
  }
}

export function subjectOf(peer: PeerId): string {
  return `peer:${peer}`;
}

import { parsePeerId } from '../../identity/index.js';
import type { Contact, Mesh } from '../../mesh/index.js';
import type { StateFiles, StoredMember } from '../state/index.js';

/** A member that was not linked for so long is given up, in milliseconds. */
const PATIENCE = 7 * 24 * 3_600_000;
/** One that answers is enough: it knows the others. */
const MAX_MEMBERS = 64;
/** Several members often come at once: their news is written together. */
const DELAY = 1_000;
/** How often the file is told that the members are still linked. */
const REFRESH = 3_600_000;

export interface KnownMembersOptions {
  readonly mesh: Mesh;
  readonly file: StateFiles['members'];
  /** The file could not be written. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * The members that this router was linked to, kept on disk: one without targets of its own finds the others again after a
 * restart, and need not wait until they look for it.
 */
export class KnownMembers {
  readonly #options: KnownMembersOptions;
  #known: readonly StoredMember[] = [];
  #pending: NodeJS.Timeout | undefined;
  #refresh: NodeJS.Timeout | undefined;

  constructor(options: KnownMembersOptions) {
    this.#options = options;
  }

  /** Has the mesh, which must be started, dial the members of earlier runs. Rejects with `file-corrupt`. */
  async start(): Promise<void> {
    const { mesh, file } = this.#options;
    this.#known = (await file.read()).members;
    this.#update();
    mesh.on('link-up', this.#onNews);
    mesh.on('member', this.#onNews);
    this.#refresh = setInterval(this.#onNews, REFRESH);
    this.#onNews(); // links that came up meanwhile
  }

  /** Writes what is known now, while the mesh still has its links. */
  async stop(): Promise<void> {
    if (this.#refresh === undefined) return;
    const { mesh } = this.#options;
    mesh.off('link-up', this.#onNews);
    mesh.off('member', this.#onNews);
    clearInterval(this.#refresh);
    clearTimeout(this.#pending);
    this.#refresh = undefined;
    await this.#save();
  }

  readonly #onNews = (): void => {
    this.#pending ??= setTimeout(() => void this.#save(), DELAY);
  };

  async #save(): Promise<void> {
    this.#pending = undefined;
    const { file, onFailure } = this.#options;
    this.#update();
    await file.write(() => ({ members: [...this.#known] })).catch(onFailure);
  }

  #update(): void {
    const { mesh } = this.#options;
    this.#known = refreshed(this.#known, mesh.contacts(), Date.now());
    mesh.remember(this.#known.map(({ peer, addresses }) => ({ peer: parsePeerId(peer), addresses })));
  }
}

/** What is to be remembered, the most recently linked first. */
export function refreshed(
  known: readonly StoredMember[],
  linked: readonly Contact[],
  now: number,
): StoredMember[] {
  const current = linked
    .filter(({ addresses }) => addresses.length > 0)
    .map(({ peer, addresses }) => ({ peer, addresses: [...addresses], linkedAt: now }));
  const peers = new Set<string>(current.map(({ peer }) => peer));
  const others = known.filter(({ peer, linkedAt }) => !peers.has(peer) && now - linkedAt < PATIENCE);
  return [...current, ...others].slice(0, MAX_MEMBERS);
}

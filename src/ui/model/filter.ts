import type { Found } from '../../api/status/index.js';
import { part } from '../dom.js';
import { ask } from './ask.js';
import type { Mesh } from './mesh.js';

/** How long somebody pauses who has finished a word, in milliseconds. */
const PAUSE = 250;

/** Which hosts somebody looks for. */
export class Filter {
  readonly #mesh: Mesh;
  readonly #onChange: () => void;
  readonly #input = part('filter', HTMLInputElement);
  /** What the router found in names and addresses of containers, and for which text. */
  #found: ReadonlySet<string> = new Set();
  #timer = 0;

  constructor(mesh: Mesh, onChange: () => void) {
    this.#mesh = mesh;
    this.#onChange = onChange;
    this.#input.addEventListener('input', () => {
      this.#found = new Set();
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => void this.#find(), PAUSE);
      onChange();
    });
  }

  get text(): string {
    return this.#input.value.trim().toLowerCase();
  }

  /** Whether a host is one of those; all are while nobody looks for any. */
  matches(peer: string): boolean {
    const { text } = this;
    const host = this.#mesh.hosts.get(peer);
    if (text === '' || host === undefined || this.#found.has(peer)) return true;
    return [peer, host.nickname, ...host.endpoints, ...host.networks].some((each) =>
      each.toLowerCase().includes(text),
    );
  }

  clear(): void {
    this.#input.value = '';
    this.#input.dispatchEvent(new Event('input'));
  }

  async #find(): Promise<void> {
    const { text } = this;
    if (text === '') return;
    const found = await ask<Found>(`find?text=${encodeURIComponent(text)}`);
    if (found === undefined || text !== this.text) return;
    this.#found = new Set(found.peers);
    this.#onChange();
  }
}

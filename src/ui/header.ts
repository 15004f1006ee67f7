import { element, part, setText } from './dom.js';
import { bitRate, count } from './format.js';
import type { Mesh } from './model/index.js';

/** The name of this router, how it is, and the figures of the mesh in one line. */
export class Header {
  readonly #router = part('router', HTMLSpanElement);
  readonly #figures = part('figures', HTMLParagraphElement);
  readonly #notice = part('notice', HTMLParagraphElement);
  readonly #mesh: Mesh;

  constructor(mesh: Mesh) {
    this.#mesh = mesh;
  }

  update({ isStale }: { readonly isStale: boolean }): void {
    const mesh = this.#mesh;
    const name = mesh.nickname(mesh.self);
    const peers = [...mesh.hosts.keys()].filter((peer) => peer !== mesh.self);
    const reached = peers.filter((peer) => !mesh.isLost(peer)).length;
    const interfaces = [...mesh.hosts.values()].reduce((sum, host) => sum + host.interfaces, 0);
    const { sent, received } = mesh.total();
    setText(this.#router, name);
    if (document.title !== `${name} · weft`) document.title = `${name} · weft`;
    setText(
      this.#figures,
      `${reached} of ${count(peers.length, 'other host')} reached · ${count(interfaces, 'interface')} · ↑ ${bitRate(sent)} ↓ ${bitRate(received)}`,
    );
    this.#tell(isStale);
  }

  #tell(isStale: boolean): void {
    const { health, omitted } = this.#mesh.about ?? {};
    const left = omitted?.hosts ?? 0;
    const lines = isStale
      ? ['The router does not answer: this is what it told last. The page tries again by itself.']
      : [
          ...(health?.reasons ?? []),
          ...(health?.warnings ?? []),
          ...(left > 0 ? [`${count(left, 'more host')} are not shown`] : []),
        ];
    const text = lines.join('\n');
    this.#notice.className = isStale ? 'lost' : health?.ready === false ? 'bad' : 'warning';
    if (this.#notice.dataset.text === text) return;
    this.#notice.dataset.text = text;
    this.#notice.hidden = text === '';
    this.#notice.replaceChildren(...lines.map((line) => element('span', {}, line)));
  }
}

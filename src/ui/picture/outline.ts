import { button, element, part, setText } from '../dom.js';
import { count, percent, roundTrip } from '../format.js';
import { KINDS, type Selection } from '../kinds.js';
import type { Mesh } from '../model/index.js';

export interface OutlineOptions {
  readonly mesh: Mesh;
  readonly onFocus: (selection: Selection | undefined) => void;
  readonly onChoose: (selection: Selection) => void;
}

interface Item {
  readonly line: HTMLLIElement;
  readonly host: HTMLButtonElement;
  readonly link: HTMLButtonElement | undefined;
}

/** The picture in words, for those who use a keyboard or do not see it. It is there, but not to be seen. */
export class Outline {
  readonly #options: OutlineOptions;
  readonly #list = part('outline', HTMLUListElement);
  readonly #items = new Map<string, Item>();

  constructor(options: OutlineOptions) {
    this.#options = options;
  }

  update(): void {
    const { mesh } = this.#options;
    if (this.#list.offsetParent === null) return; // the table is shown instead
    for (const [peer, { line }] of this.#items) {
      if (mesh.hosts.has(peer)) continue;
      line.remove();
      this.#items.delete(peer);
    }
    for (const peer of mesh.hosts.keys()) this.#show(peer, this.#items.get(peer) ?? this.#add(peer));
  }

  #show(peer: string, { line, host, link }: Item): void {
    const { mesh } = this.#options;
    const { interfaces = 0 } = mesh.hosts.get(peer) ?? {};
    const name = mesh.nickname(peer);
    const kind = mesh.kind(peer);
    const standing = kind === undefined ? ', this router' : mesh.isLost(peer) ? ', not reached' : '';
    setText(host, `${name}${standing}, ${count(interfaces, 'interface')}`);
    if (link === undefined || kind === undefined) return;
    line.dataset.kind = kind;
    const { rtt = null, loss = null } = mesh.links.get(peer) ?? {};
    const quality = kind === 'none' ? '' : `, ${roundTrip(rtt)}, ${percent(loss)} lost`;
    setText(link, `link to ${name}: ${KINDS[kind].name}${quality}`);
  }

  #add(peer: string): Item {
    const { mesh } = this.#options;
    const host = this.#button({ what: 'host', peer });
    const link = peer === mesh.self ? undefined : this.#button({ what: 'link', peer });
    const line = element('li', { 'data-peer': peer }, host, ...(link === undefined ? [] : [link]));
    const item = { line, host, link };
    this.#items.set(peer, item);
    if (peer === mesh.self) this.#list.prepend(line);
    else this.#list.append(line);
    return item;
  }

  #button(selection: Selection): HTMLButtonElement {
    const { onChoose, onFocus } = this.#options;
    const made = button('', () => onChoose(selection));
    made.addEventListener('focus', () => onFocus(selection));
    made.addEventListener('blur', () => onFocus(undefined));
    return made;
  }
}

import { button, element, part } from '../dom.js';
import type { Selection } from '../kinds.js';
import type { History, Mesh } from '../model/index.js';
import type { Details } from './details.js';
import { HostDetails } from './host.js';
import { LinkDetails } from './link.js';

export interface PanelOptions {
  readonly mesh: Mesh;
  readonly history: History;
  readonly onChoose: (selection: Selection | undefined) => void;
}

/** More about what somebody chose. */
export class Panel {
  readonly #options: PanelOptions;
  readonly #place = part('details', HTMLElement);
  #shown: Details | undefined;
  /** Where the focus was. */
  #origin: Element | null = null;

  constructor(options: PanelOptions) {
    this.#options = options;
  }

  show(selection: Selection | undefined): void {
    this.#shown?.end();
    if (this.#shown === undefined) this.#origin = document.activeElement;
    this.#shown = selection && this.#detailsOf(selection);
    this.#place.hidden = this.#shown === undefined;
    if (this.#shown === undefined) {
      this.#place.replaceChildren();
      if (this.#origin instanceof HTMLElement) this.#origin.focus();
      return;
    }
    const title = element('h2', { tabindex: '-1' }, this.#shown.title);
    const close = button('×', () => this.#options.onChoose(undefined), {
      class: 'close',
      'aria-label': 'Close',
    });
    this.#place.replaceChildren(element('div', { class: 'title' }, title, close), this.#shown.element);
    this.#shown.update();
    title.focus();
  }

  update(): void {
    this.#shown?.update();
  }

  recolour(): void {
    this.#shown?.recolour();
  }

  #detailsOf({ what, peer }: Selection): Details {
    const { mesh, history, onChoose } = this.#options;
    return what === 'host' ? new HostDetails(mesh, peer, onChoose) : new LinkDetails(mesh, history, peer);
  }
}

import { part } from './dom.js';

/** Beyond so many hosts a table says more than a picture. */
const MOST_IN_PICTURE = 200;

/** Whether the mesh is shown as a picture or as a table: as somebody chose, or by its size. */
export class Views {
  readonly #picture = part('picture', HTMLDivElement);
  readonly #list = part('list', HTMLDivElement);
  readonly #asPicture = part('as-picture', HTMLButtonElement);
  readonly #asTable = part('as-table', HTMLButtonElement);
  readonly #onChange: () => void;
  #isChosen = false;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    this.#asPicture.addEventListener('click', () => this.#choose(false));
    this.#asTable.addEventListener('click', () => this.#choose(true));
  }

  suit(hosts: number): void {
    if (!this.#isChosen && hosts > MOST_IN_PICTURE !== this.#picture.hidden)
      this.#show(hosts > MOST_IN_PICTURE);
  }

  #choose(asTable: boolean): void {
    this.#isChosen = true;
    this.#show(asTable);
  }

  #show(asTable: boolean): void {
    this.#picture.hidden = asTable;
    this.#list.hidden = !asTable;
    this.#asPicture.setAttribute('aria-pressed', String(!asTable));
    this.#asTable.setAttribute('aria-pressed', String(asTable));
    this.#onChange();
  }
}

/** Everything that is shown goes through here: as text, never as HTML. */

export type Child = Node | string;

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function button(text: string, onPress: () => void, attributes = {}): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, text);
  made.addEventListener('click', onPress);
  return made;
}

/** An element of index.html. */
export function part<Part extends HTMLElement>(id: string, kind: new () => Part): Part {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${id}`);
}

/** Changes nothing where nothing changed, so that nothing is laid out or read aloud anew. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Names and values side by side; what has no value is left out. */
export function facts(...all: readonly (readonly [name: string, value: Child | null])[]): HTMLDListElement {
  const list = element('dl');
  for (const [name, value] of all) {
    if (value !== null) list.append(element('dt', {}, name), element('dd', {}, value));
  }
  return list;
}

export function table(heads: readonly string[], rows: readonly (readonly Child[])[]): HTMLTableElement {
  const head = element('tr', {}, ...heads.map((text) => element('th', { scope: 'col' }, text)));
  const body = rows.map((cells) => element('tr', {}, ...cells.map((cell) => element('td', {}, cell))));
  return element('table', {}, element('thead', {}, head), element('tbody', {}, ...body));
}

const SVG = 'http://www.w3.org/2000/svg';

/** A piece of a line as links are drawn. */
export function lineSample(colour: string, dash: readonly number[]): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  const line = document.createElementNS(SVG, 'line');
  const attributes = { x1: '1', x2: '39', y1: '5', y2: '5', stroke: `var(${colour})`, 'stroke-width': '3' };
  for (const [name, value] of Object.entries(attributes)) line.setAttribute(name, value);
  line.setAttribute('stroke-dasharray', dash.join(' '));
  svg.setAttribute('viewBox', '0 0 40 10');
  svg.setAttribute('class', 'sample');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(line);
  return svg;
}

import { button, element, part, setText } from './dom.js';
import { bitRate, percent, roundTrip } from './format.js';
import { KINDS, type Selection } from './kinds.js';
import type { Filter, Mesh } from './model/index.js';

type Value = string | number | null;

interface Column {
  readonly name: string;
  readonly value: (mesh: Mesh, peer: string) => Value;
  readonly show: (value: Value, mesh: Mesh, peer: string) => string;
}

const asNumber = (format: (value: number) => string) => (value: Value) =>
  typeof value === 'number' ? format(value) : '–';

const COLUMNS: readonly Column[] = [
  { name: 'host', value: (mesh, peer) => mesh.nickname(peer), show: String },
  {
    name: 'path',
    value: (mesh, peer) => mesh.kind(peer) ?? '',
    show: (_, mesh, peer) => pathText(mesh, peer),
  },
  { name: 'RTT', value: (mesh, peer) => mesh.links.get(peer)?.rtt ?? null, show: asNumber(roundTrip) },
  { name: 'loss', value: (mesh, peer) => mesh.links.get(peer)?.loss ?? null, show: asNumber(percent) },
  { name: 'sent', value: (mesh, peer) => sentTo(mesh, peer), show: asNumber(rateText) },
  { name: 'received', value: (mesh, peer) => receivedFrom(mesh, peer), show: asNumber(rateText) },
  { name: 'interfaces', value: (mesh, peer) => mesh.hosts.get(peer)?.interfaces ?? 0, show: String },
  { name: 'state', value: (mesh, peer) => mesh.hosts.get(peer)?.state ?? '', show: String },
];

const PATH = 1;

interface Row {
  readonly line: HTMLTableRowElement;
  readonly cells: readonly HTMLElement[];
}

export interface TableOptions {
  readonly mesh: Mesh;
  readonly filter: Filter;
  readonly onChoose: (selection: Selection) => void;
}

/** The mesh as a table: of large ones it shows more than a picture. */
export class HostTable {
  readonly #options: TableOptions;
  readonly #place = part('list', HTMLDivElement);
  readonly #body = element('tbody');
  readonly #heads: readonly HTMLTableCellElement[];
  readonly #rows = new Map<string, Row>();
  #sorted = { column: 0, descending: false };

  constructor(options: TableOptions) {
    this.#options = options;
    this.#heads = COLUMNS.map(({ name }, column) =>
      element(
        'th',
        { scope: 'col' },
        button(name, () => this.#sortBy(column)),
      ),
    );
    const head = element('thead', {}, element('tr', {}, ...this.#heads));
    this.#place.append(element('table', {}, element('caption', {}, 'Hosts of the mesh'), head, this.#body));
  }

  update({ isStale }: { readonly isStale: boolean }): void {
    if (this.#place.hidden) return;
    const { mesh, filter } = this.#options;
    this.#place.classList.toggle('stale', isStale);
    for (const [peer, { line }] of this.#rows) {
      if (mesh.hosts.has(peer)) continue;
      line.remove();
      this.#rows.delete(peer);
    }
    for (const peer of mesh.hosts.keys()) {
      const { line, cells } = this.#rows.get(peer) ?? this.#add(peer);
      line.hidden = !filter.matches(peer);
      line.classList.toggle('lost', mesh.isLost(peer));
      COLUMNS.forEach(({ value, show }, column) => {
        const cell = cells[column];
        if (cell !== undefined) setText(cell, show(value(mesh, peer), mesh, peer));
      });
      cells[PATH]?.setAttribute('data-kind', mesh.kind(peer) ?? 'self');
    }
    this.#sort();
  }

  #add(peer: string): Row {
    const { onChoose, mesh } = this.#options;
    const host = button('', () => onChoose({ what: 'host', peer }));
    const path = peer === mesh.self ? element('span') : button('', () => onChoose({ what: 'link', peer }));
    const others = COLUMNS.slice(2).map(() => element('td'));
    const line = element('tr', {}, element('th', { scope: 'row' }, host), element('td', {}, path), ...others);
    const row = { line, cells: [host, path, ...others] };
    this.#rows.set(peer, row);
    this.#body.append(line);
    return row;
  }

  #sortBy(column: number): void {
    const { column: before, descending } = this.#sorted;
    this.#sorted = { column, descending: column === before && !descending };
    this.#sort();
  }

  /** Moves only what is not where it belongs: whoever reads a line keeps it. */
  #sort(): void {
    const { column, descending } = this.#sorted;
    this.#heads.forEach((head, index) => {
      if (index === column) head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    });
    const { mesh } = this.#options;
    const value = COLUMNS[column]?.value ?? (() => null);
    const valued = [...this.#rows].map(([peer, { line }]) => ({ value: value(mesh, peer), peer, line }));
    const sign = descending ? -1 : 1;
    valued.sort((a, b) => sign * compared(a.value, b.value) || compared(a.peer, b.peer));
    valued.forEach(({ line }, index) => {
      const there = this.#body.children[index];
      if (there !== line) this.#body.insertBefore(line, there ?? null);
    });
  }
}

function pathText(mesh: Mesh, peer: string): string {
  const kind = mesh.kind(peer);
  if (kind === undefined) return 'this router';
  const via = mesh.links.get(peer)?.via ?? null;
  return via === null ? KINDS[kind].name : `through ${via}`;
}

function sentTo(mesh: Mesh, peer: string): Value {
  return peer === mesh.self ? null : mesh.rate(peer).sent;
}

function receivedFrom(mesh: Mesh, peer: string): Value {
  return peer === mesh.self ? null : mesh.rate(peer).received;
}

/** Silence is no figure: what flows is to be seen. */
function rateText(rate: number): string {
  return rate === 0 ? '–' : bitRate(rate);
}

/** What has no value comes last. */
function compared(a: Value, b: Value): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}

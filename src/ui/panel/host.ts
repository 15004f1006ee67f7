import type { HostView, HostDetails as Told } from '../../api/status/index.js';
import { button, type Child, element, facts, setText, table } from '../dom.js';
import { count, percent } from '../format.js';
import type { Selection } from '../kinds.js';
import { ask, type Mesh } from '../model/index.js';
import type { Details } from './details.js';

const MAX_SHOWN = 200;

const STATES: Readonly<Record<HostView['state'], string>> = {
  self: 'this router',
  linked: 'linked with this router',
  known: 'known, linked with others',
  down: 'down: nobody reached it for a while',
  left: 'left the network',
  revoked: 'expelled',
};

/** What is on a host. */
export class HostDetails implements Details {
  readonly title: string;
  readonly element = element('div');
  readonly #mesh: Mesh;
  readonly #peer: string;
  readonly #known = element('div');
  readonly #told = element('div');
  #asked = '';

  constructor(mesh: Mesh, peer: string, onChoose: (selection: Selection) => void) {
    [this.#mesh, this.#peer] = [mesh, peer];
    this.title = mesh.nickname(peer);
    this.element.append(this.#known);
    if (mesh.links.has(peer))
      this.element.append(button('How it is reached', () => onChoose({ what: 'link', peer })));
    this.element.append(this.#told);
  }

  update(): void {
    const host = this.#mesh.hosts.get(this.#peer);
    if (host === undefined) {
      setText(this.#known, 'It is not known any more.');
      return;
    }
    const asked = JSON.stringify(host);
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#known.replaceChildren(
      facts(
        ['state', STATES[host.state]],
        ['peer id', this.#peer],
        ['version', host.version || null],
        ['addresses', host.endpoints.join(' ') || null],
        ['networks', ['default', ...host.networks].join(' ')],
      ),
    );
    void ask<Told>(`hosts/${this.#peer}`).then((told) => this.#told.replaceChildren(...toldText(told)));
  }

  recolour(): void {}

  end(): void {}
}

function toldText(told: Told | undefined): Child[] {
  if (told === undefined) return [];
  const { interfaces, names, omitted, owned, ciphers } = told;
  const containers = interfaces.map((each) => [
    element('span', {}, each.names.join(' ') || '–', ...each.labels.map(labelMark)),
    element('span', {}, each.addresses.join(' '), element('span', { class: 'mac' }, each.mac)),
    each.network,
  ]);
  const free = owned === null || owned.free === null ? '' : `, about ${owned.free.toLocaleString('en')} free`;
  return [
    facts(
      [
        'owns',
        owned === null
          ? 'no addresses'
          : `${count(owned.addresses, 'address', 'addresses')} (${percent(owned.share)})${free}`,
      ],
      ['ranges', owned === null ? null : rangesText(owned)],
      ['ciphers', ciphers.join(' ') || null],
    ),
    ...section('Containers', ['name', 'addresses and MAC', 'network'], containers, omitted.interfaces),
    ...section(
      'Names',
      ['name', 'addresses', 'network'],
      names.map(({ name, addresses, network }) => [name, addresses.join(' '), network]),
      omitted.names,
    ),
  ];
}

function rangesText({ ranges, moreRanges }: NonNullable<Told['owned']>): string {
  const more = moreRanges === 0 ? '' : ` and ${moreRanges.toLocaleString('en')} more`;
  return `${ranges.join(' ')}${more}`;
}

function labelMark(label: string): Child {
  return element('span', { class: 'label' }, label);
}

function section(
  title: string,
  heads: readonly string[],
  rows: readonly (readonly Child[])[],
  omitted: number,
): Child[] {
  const left = omitted + Math.max(0, rows.length - MAX_SHOWN);
  return [
    element('h3', {}, `${title} (${rows.length + omitted})`),
    rows.length === 0 ? element('p', { class: 'quiet' }, 'none') : table(heads, rows.slice(0, MAX_SHOWN)),
    ...(left === 0 ? [] : [element('p', { class: 'quiet' }, `and ${left.toLocaleString('en')} more`)]),
  ];
}

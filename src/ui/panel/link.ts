import type { PeerPath } from '../../api/index.js';
import type { LinkView } from '../../api/status/index.js';
import { type Child, element, facts, lineSample, setText, table } from '../dom.js';
import { bitRate, byteCount, percent, roundTrip } from '../format.js';
import { KINDS } from '../kinds.js';
import { ask, type History, type Mesh } from '../model/index.js';
import { CurveView } from './curves.js';
import type { Details } from './details.js';

/** Why the link to a host is as it is. */
export class LinkDetails implements Details {
  readonly title: string;
  readonly element = element('div');
  readonly #mesh: Mesh;
  readonly #history: History;
  readonly #peer: string;
  readonly #why = element('div');
  readonly #quality = element('div');
  readonly #tried = element('div');
  readonly #curves: readonly CurveView[];
  /** What was told of the link when its paths were asked for. */
  #asked = '';

  constructor(mesh: Mesh, history: History, peer: string) {
    [this.#mesh, this.#history, this.#peer] = [mesh, history, peer];
    this.title = `Link to ${mesh.nickname(peer)}`;
    const [rtts, rates] = [element('div', { class: 'curve' }), element('div', { class: 'curve' })];
    this.element.append(this.#why, this.#quality);
    this.element.append(element('h3', {}, 'Round trip'), rtts);
    this.element.append(element('h3', {}, 'Throughput: sent, and received (dashed)'), rates, this.#tried);
    this.#curves = [new CurveView('rtt', rtts), new CurveView('throughput', rates)];
  }

  update(): void {
    const link = this.#mesh.links.get(this.#peer);
    const course = this.#history.of(this.#peer);
    for (const curve of this.#curves) curve.show(course);
    if (link === undefined) {
      setText(this.#why, 'There is no link to it.');
      return;
    }
    this.#why.replaceChildren(...whyText(link));
    this.#quality.replaceChildren(this.#figures(link));
    const { kind, endpoint, reason, via } = link;
    const asked = JSON.stringify([kind, endpoint, reason?.split('(')[0], via]);
    if (asked === this.#asked) return;
    this.#asked = asked;
    void ask<PeerPath>(`paths/${this.#peer}`).then((path) => this.#tried.replaceChildren(...triedText(path)));
  }

  recolour(): void {
    for (const curve of this.#curves) curve.recolour();
  }

  end(): void {
    for (const curve of this.#curves) curve.end();
  }

  #figures({ rtt, loss, cipher, pathMtu, endpoint, control }: LinkView): HTMLElement {
    const [sent, received] = this.#mesh.traffic.get(this.#peer) ?? [0, 0];
    const rate = this.#mesh.rate(this.#peer);
    return facts(
      ['RTT, loss', `${roundTrip(rtt)}, ${percent(loss)}`],
      ['sent', `${bitRate(rate.sent)}, ${byteCount(sent)} in all`],
      ['received', `${bitRate(rate.received)}, ${byteCount(received)} in all`],
      ['address', endpoint],
      ['cipher', cipher === 'plain' ? 'none' : cipher],
      ['path MTU', pathMtu === null ? null : `${pathMtu} bytes`],
      ['control link', control ? 'up' : 'none, messages go over others'],
    );
  }
}

function whyText({ kind, via, reason }: LinkView): Child[] {
  const { name, colour, dash, means } = KINDS[kind];
  const chip = element(
    'p',
    { class: 'kind' },
    lineSample(colour, dash),
    via === null ? name : `${name} through ${via}`,
  );
  return [
    chip,
    element('p', {}, means),
    ...(reason === null ? [] : [element('p', { class: 'reason' }, reason)]),
  ];
}

function triedText(path: PeerPath | undefined): Child[] {
  if (path === undefined) return [];
  const { candidates, relays, nat } = path;
  const rows = candidates.map(({ endpoint, probes, answers, rtt, lastAnswer }) => [
    endpoint,
    `${answers} of ${probes}`,
    roundTrip(rtt),
    lastAnswer === null ? 'never' : `${Math.round(lastAnswer)} s ago`,
  ]);
  const ways = relays.map(({ nickname, cost, hops }) => [nickname, roundTrip(cost), String(hops)]);
  return [
    element('h3', {}, 'Addresses tried'),
    rows.length === 0
      ? element('p', {}, 'No address of it is known.')
      : table(['address', 'answered', 'RTT', 'last'], rows),
    ...(ways.length === 0
      ? []
      : [element('h3', {}, 'Possible relays'), table(['through', 'cost', 'hops'], ways)]),
    element('p', { class: 'quiet' }, `NAT here: ${nat.here}; there: ${nat.there}`),
  ];
}

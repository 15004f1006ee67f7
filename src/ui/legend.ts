import { element, lineSample, part } from './dom.js';
import { KIND_ORDER, KINDS } from './kinds.js';

/** What the lines of the picture mean. */
export function showLegend(): void {
  const entries = KIND_ORDER.map((kind) => {
    const { name, colour, dash } = KINDS[kind];
    return element('li', {}, lineSample(colour, dash), name);
  });
  const others = element('li', {}, lineSample('--faint-line', []), 'between others');
  part('legend', HTMLDivElement).append(
    element('ul', { 'aria-label': 'Kinds of links' }, ...entries, others),
  );
}

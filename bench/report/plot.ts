/** What matters most as an SVG: a panel of horizontal bars for each figure, a bar for each contender. */
import type { ContenderKind } from '../contender.js';
import { machineLine } from '../machine.js';
import { METRICS, type Metric, type MetricId } from '../metrics.js';
import type { ContenderResult, Results } from '../results.js';

/** One for each sentence of the summary. */
const PANELS: readonly MetricId[] = ['tcp1', 'cpuTcp1', 'rttLoadP99'];

const COLUMNS = 3;
const PANEL_WIDTH = 420;
const MARGIN = 28;
const HEADER = 100;
const TITLE = 30;
const ROW = 22;
const BAR = 14;
const LABEL_WIDTH = 165;
const VALUE_WIDTH = 62;
const BAR_WIDTH = PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH - MARGIN;

const COLORS: Readonly<Record<ContenderKind, string>> = {
  kernel: '#9aa3ad',
  floor: '#d3d8de',
  weft: '#0f7b6c',
  peer: '#c98a3c',
};

const LEGEND = [
  { label: 'weft', color: COLORS.weft, fromRight: 505 },
  { label: 'kernel, unencrypted', color: COLORS.kernel, fromRight: 435 },
  { label: 'the least there is to do', color: COLORS.floor, fromRight: 275 },
  { label: 'others', color: COLORS.peer, fromRight: 90 },
];

export function renderPlot(results: Results): string {
  const contenders = results.contenders.filter(({ samples }) => samples.length > 0);
  const panelHeight = TITLE + contenders.length * ROW + MARGIN;
  const width = COLUMNS * PANEL_WIDTH + MARGIN;
  const height = HEADER + Math.ceil(PANELS.length / COLUMNS) * panelHeight;
  const panels = METRICS.filter(({ id }) => PANELS.includes(id)).map((metric, index) => {
    const x = MARGIN + (index % COLUMNS) * PANEL_WIDTH;
    const y = HEADER + Math.floor(index / COLUMNS) * panelHeight;
    return `<g transform="translate(${x},${y})">${panel(metric, contenders)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
      'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif" font-size="13" fill="#1f2933">',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    header(results, width),
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function header({ machine, date, rounds }: Results, width: number): string {
  const legend = LEGEND.map(
    ({ label, color, fromRight }) =>
      `<rect x="${width - fromRight}" y="22" width="11" height="11" rx="2" fill="${color}"/>` +
      text(width - fromRight + 17, 32, label),
  );
  const method = `Medians of ${rounds} rounds; the thin lines span the samples. ${date.slice(0, 10)}`;
  return [
    text(MARGIN, 32, 'weft beside kernel VXLAN and other tunnels', 'font-size="18" font-weight="600"'),
    text(MARGIN, 54, machineLine(machine), 'fill="#616e7c" font-size="12"'),
    text(MARGIN, 71, method, 'fill="#616e7c" font-size="12"'),
    ...legend,
  ].join('\n');
}

function panel(metric: Metric & { readonly id: MetricId }, contenders: readonly ContenderResult[]): string {
  const values = contenders.flatMap(({ samples }) =>
    samples.flatMap(({ [metric.id]: value }) => value ?? []),
  );
  const scale = BAR_WIDTH / Math.max(...values, Number.MIN_VALUE);
  const hint = metric.better === 'higher' ? 'more is better' : 'less is better';
  const rows = contenders.map((contender, index) => bar(metric, contender, TITLE + index * ROW, scale));
  return [
    text(0, 14, `${metric.title}, ${metric.unit}`, 'font-weight="600"'),
    text(PANEL_WIDTH - MARGIN, 14, hint, 'text-anchor="end" fill="#8793a0" font-size="11"'),
    ...rows,
  ].join('\n');
}

/** The bar is the median, the thin line spans the samples. */
function bar(
  metric: Metric & { readonly id: MetricId },
  contender: ContenderResult,
  y: number,
  scale: number,
): string {
  const middle = y + BAR / 2;
  const label = text(LABEL_WIDTH - 8, middle + 4.5, contender.name, 'text-anchor="end" font-size="12"');
  const value = contender.medians[metric.id];
  if (value === undefined) return label;
  const samples = contender.samples.flatMap(({ [metric.id]: sample }) => sample ?? []);
  const [low, high] = [Math.min(...samples), Math.max(...samples)].map(
    (bound) => LABEL_WIDTH + bound * scale,
  );
  const end = LABEL_WIDTH + Math.max(value * scale, 1);
  return [
    label,
    `<rect x="${LABEL_WIDTH}" y="${y}" width="${round(end - LABEL_WIDTH)}" height="${BAR}" rx="2" fill="${COLORS[contender.kind]}"/>`,
    `<path d="M${round(low ?? 0)} ${middle}H${round(high ?? 0)}" stroke="#1f2933" stroke-opacity="0.55"/>`,
    text(Math.max(end, high ?? 0) + 6, middle + 4.5, value.toFixed(metric.digits), 'font-size="12"'),
  ].join('');
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escaped}</text>`;
}

const round = (value: number) => Number(value.toFixed(1));

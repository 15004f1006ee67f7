/** The results as text: Markdown whose columns line up, so that it reads well on a terminal too. */
import { REFERENCE } from '../contenders/index.js';
import { machineLine } from '../machine.js';
import { GROUPS, METRICS, type Metric } from '../metrics.js';
import { type ContenderResult, type Results, ratioToBestPeer, ratioToReference } from '../results.js';
import { median } from '../stats.js';
import { LOSS_LIMIT } from '../workloads/udp-rate.js';
import { summarize } from './summary.js';
import { judge, type Verdict } from './verdicts.js';

/** `picture`: the file of the plot, relative to that of the report; absent on a terminal. */
export function renderReport(results: Results, picture?: string): string {
  const { date, machine, rounds, seconds, congestionControl, contenders } = results;
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const sections: string[] = [
    '# weft beside kernel VXLAN and other tunnels',
    ...(picture === undefined
      ? []
      : [`![One flow, what it costs, and how long others wait meanwhile](${picture})`]),
    summarize(results),
    '## How it was measured',
    `${machineLine(machine)}\\\n${versions.join(', ')}\\\n${date}`,
    `Medians of ${rounds} rounds, contenders in turn, ${seconds} s a workload, TCP ${congestionControl}. Both hosts, containers and iperf3 ` +
      `share the machine. UDP: the highest rate with at most ${LOSS_LIMIT * 100} % loss. CPU: seconds per 10^9 bytes that arrived, ` +
      'of the whole machine (both hosts and iperf3), and of the processes of the contender on both hosts. RTT: a ping each millisecond; ' +
      'loaded: beside one TCP flow. Memory: of one host, after the work.',
    ...GROUPS.flatMap((group) => groupSections(results, group)),
    '## Demands',
    verdictTable(judge(results)),
    '## Set-ups',
    contenders.map(setupLine).join('\n'),
  ];
  const failures = contenders.flatMap(({ name, failures: why }) =>
    why.map((reason) => `- ${name}: ${firstLine(reason)}`),
  );
  if (failures.length > 0) sections.push('## Failures', failures.join('\n'));
  const disturbances = contenders.flatMap((contender) => contender.disturbances);
  sections.push(
    `Other processes used ${percent(median(disturbances))} (median) and at most ${percent(Math.max(0, ...disturbances))} of the machine ` +
      'during the samples.',
  );
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

/** How it was set up, which version it is, and what it says itself that carried the packets. */
function setupLine({ name, version, setup, carriers }: ContenderResult): string {
  const said = carriers.length === 0 ? '' : `; it says of the path: ${[...new Set(carriers)].join(', ')}`;
  return `- ${version === undefined ? name : `${name} (${version})`}: ${setup}${said}`;
}

function groupSections(results: Results, group: Metric['group']): string[] {
  const metrics = METRICS.filter((metric) => metric.group === group);
  const ratios = (of: typeof ratioToReference) =>
    contenderTable(
      results,
      metrics.map(({ id, title }) => ({ title, cell: ({ name }) => of(results, name, id)?.toFixed(2) })),
    );
  return [
    `## ${group[0]?.toUpperCase()}${group.slice(1)}`,
    contenderTable(
      results,
      metrics.map(({ id, title, unit, digits }) => ({
        title: `${title} (${unit})`,
        cell: ({ medians }) => medians[id]?.toFixed(digits),
      })),
    ),
    `Against ${REFERENCE.name}, unencrypted:`,
    ratios(ratioToReference),
    'Against the best encrypted tunnel of others in each figure:',
    ratios(ratioToBestPeer),
  ];
}

interface Column {
  readonly title: string;
  cell(contender: ContenderResult): string | undefined;
}

function contenderTable({ contenders }: Results, columns: readonly Column[]): string {
  const rows = contenders.map((contender) => [
    contender.name,
    ...columns.map(({ cell }) => cell(contender) ?? ''),
  ]);
  return table([['', ...columns.map(({ title }) => title)], ...rows]);
}

function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ title, unit, must, aim, value, verdict }) => [
    title,
    ...[value?.toFixed(2) ?? '', `${must}`, `${aim}`].map((cell) => (cell === '' ? '' : `${cell} ${unit}`)),
    verdict,
  ]);
  return table([['', 'measured', 'must', 'aim', ''], ...rows]);
}

function table(rows: readonly (readonly string[])[]): string {
  const [header = []] = rows;
  const widths = header.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, column) => pad(row[column] ?? '', width, column)).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(header), rule, ...rows.slice(1).map(line)].join('\n');
}

const pad = (cell: string, width: number, column: number) =>
  column === 0 ? cell.padEnd(width) : cell.padStart(width);

const percent = (share: number) => `${Math.round(share * 100)} %`;

const firstLine = (text: string) => text.split('\n', 1)[0] ?? '';

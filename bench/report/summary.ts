/** What a reader is told first: three sentences, one for each panel of the picture. */
import { FLOOR, REFERENCE, SUBJECT } from '../contenders/index.js';
import { METRICS, type MetricId } from '../metrics.js';
import {
  bestPeer,
  type ContenderResult,
  type Results,
  ratioToBestPeer,
  ratioToReference,
} from '../results.js';

/** Empty if weft was not measured; what else was not is left out. */
export function summarize(results: Results): string {
  const subject = find(results, SUBJECT.name);
  if (subject?.medians.tcp1 === undefined) return '';
  return [throughput(results, subject), cost(results, subject), latency(results, subject)].join('\n');
}

function throughput(results: Results, subject: ContenderResult): string {
  const peer = bestPeer(results, 'tcp1');
  const [toPeer, toReference] = [ratioToBestPeer, ratioToReference].map((of) =>
    of(results, subject.name, 'tcp1')?.toFixed(2),
  );
  const comparisons = [
    peer &&
      `${toPeer} times what ${titleOf(results, peer.name)}, the fastest other encrypted tunnel, carries`,
    toReference && `${toReference} of what kernel VXLAN carries, which does not encrypt`,
  ];
  const told = list(comparisons);
  return `**${show(subject, 'tcp1')}** is what one encrypted TCP flow carries between containers on two hosts${told && `: ${told}`}.`;
}

function cost(results: Results, subject: ContenderResult): string {
  const peer = bestPeer(results, 'cpuTcp1');
  const [floor, reference] = [find(results, FLOOR.name), find(results, REFERENCE.name)];
  const comparisons = [
    peer && `${titleOf(results, peer.name)} takes ${show(find(results, peer.name), 'cpuTcp1')}`,
    measured(reference, 'cpuTcp1') && `kernel VXLAN ${show(reference, 'cpuTcp1')}`,
    measured(floor, 'cpuTcp1') &&
      `a program that carries and encrypts and does nothing else ${show(floor, 'cpuTcp1')}`,
  ];
  const told = list(comparisons);
  return `**${show(subject, 'cpuTcp1')}** of CPU time is what it costs, both hosts and both containers together${told && `: ${told}`}.`;
}

function latency(results: Results, subject: ContenderResult): string {
  const peer = bestPeer(results, 'rttLoadP99');
  const others = [
    [peer && titleOf(results, peer.name), peer && find(results, peer.name)],
    ['kernel VXLAN', find(results, REFERENCE.name)],
  ] as const;
  const comparisons = others.map(
    ([title, other]) =>
      measured(other, 'rttLoadP99') &&
      `${title} takes ${show(other, 'rttIdleP50')} and ${show(other, 'rttLoadP99')}`,
  );
  const told = list(comparisons);
  return (
    `**${show(subject, 'rttIdleP50')}** is a round trip while nothing else goes on (median), and **${show(subject, 'rttLoadP99')}** what 99 of ` +
    `100 stay below beside a flow that takes all it gets${told && `: ${told}`}.`
  );
}

const find = ({ contenders }: Results, wanted: string) => contenders.find(({ name }) => name === wanted);

const measured = (contender: ContenderResult | undefined, id: MetricId) =>
  contender?.medians[id] !== undefined;

/** A peer's name and version. */
function titleOf(results: Results, name: string): string {
  const version = find(results, name)?.version;
  return version === undefined ? name : `${name} (${version})`;
}

/** A figure with its unit. */
function show(contender: ContenderResult | undefined, id: MetricId): string {
  const metric = METRICS.find((candidate) => candidate.id === id);
  const unit = metric?.unit === 's/GB' ? 's a gigabyte' : metric?.unit;
  return `${contender?.medians[id]?.toFixed(metric?.digits) ?? '?'} ${unit}`;
}

/** What there is to say, as one enumeration. */
function list(parts: readonly (string | false | undefined)[]): string {
  const told = parts.filter((part) => typeof part === 'string');
  return [told.slice(0, -1).join(', '), ...told.slice(-1)].filter((part) => part !== '').join(', and ');
}

/** The demands that weft has to meet, and whether it does. */
import type { Contender } from '../contender.js';
import { FLOOR, SUBJECT, SUBJECT_SECRETBOX, weftTrusted } from '../contenders/index.js';
import type { MetricId } from '../metrics.js';
import { figure, type Results, ratio, ratioTo, ratioToBestPeer, ratioToReference } from '../results.js';

interface Demand {
  readonly title: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly must: number;
  readonly aim: number;
  value(results: Results): number | undefined;
}

function againstKernel({ name }: Contender, id: MetricId): Pick<Demand, 'unit' | 'value'> {
  return { unit: 'x', value: (results) => ratioToReference(results, name, id) };
}

const DEMANDS: readonly Demand[] = [
  {
    title: `TCP 1 flow, ${weftTrusted.name}, against kernel VXLAN`,
    better: 'higher',
    must: 0.95,
    aim: 1,
    ...againstKernel(weftTrusted, 'tcp1'),
  },
  {
    title: `UDP 64 B, ${weftTrusted.name}, against kernel VXLAN`,
    better: 'higher',
    must: 0.9,
    aim: 1,
    ...againstKernel(weftTrusted, 'udp64'),
  },
  {
    title: `RTT p50 idle, ${weftTrusted.name}, against kernel VXLAN`,
    better: 'lower',
    must: 1.2,
    aim: 1,
    ...againstKernel(weftTrusted, 'rttIdleP50'),
  },
  {
    title: `TCP 1 flow, ${SUBJECT.name}, against unencrypted kernel VXLAN`,
    better: 'higher',
    must: 0.65,
    aim: 1,
    ...againstKernel(SUBJECT, 'tcp1'),
  },
  {
    title: `TCP 1 flow, ${SUBJECT.name}, against the best encrypted peer`,
    unit: 'x',
    better: 'higher',
    must: 10,
    aim: 20,
    value: (results) => ratioToBestPeer(results, SUBJECT.name, 'tcp1'),
  },
  {
    title: `TCP 1 flow, ${SUBJECT_SECRETBOX.name}, against the best encrypted peer`,
    unit: 'x',
    better: 'higher',
    must: 4,
    aim: 8,
    value: (results) => ratioToBestPeer(results, SUBJECT_SECRETBOX.name, 'tcp1'),
  },
  {
    title: `CPU seconds a gigabyte, ${SUBJECT.name}, against ${FLOOR.name}`,
    unit: 'x',
    better: 'lower',
    must: 1.1,
    aim: 1.05,
    value: (results) => ratioTo(FLOOR.name, results, SUBJECT.name, 'cpuTcp1'),
  },
  {
    title: `RTT p50 idle, ${SUBJECT.name}, against kernel VXLAN`,
    better: 'lower',
    must: 6,
    aim: 2,
    ...againstKernel(SUBJECT, 'rttIdleP50'),
  },
  {
    title: `RTT p99 loaded, ${SUBJECT.name}, against its p50 idle`,
    unit: 'x',
    better: 'lower',
    must: 6,
    aim: 3,
    value: (results) =>
      ratio(figure(results, SUBJECT.name, 'rttLoadP99'), figure(results, SUBJECT.name, 'rttIdleP50')),
  },
  {
    title: 'resident memory of the daemon, one peer',
    unit: 'MB',
    better: 'lower',
    must: 110,
    aim: 80,
    value: (results) => figure(results, SUBJECT.name, 'memoryDaemon'),
  },
  {
    title: 'resident memory of the forwarder, one peer',
    unit: 'MB',
    better: 'lower',
    must: 40,
    aim: 16,
    value: (results) => figure(results, SUBJECT.name, 'memoryForwarder'),
  },
];

export interface Verdict {
  readonly title: string;
  readonly unit: string;
  readonly must: number;
  readonly aim: number;
  readonly value: number | null;
  readonly verdict: 'aim reached' | 'must reached' | 'missed' | 'not measured';
}

export function judge(results: Results): Verdict[] {
  return DEMANDS.map(({ title, unit, better, must, aim, value }) => {
    const measured = value(results);
    const meets = (bound: number) =>
      measured !== undefined && (better === 'higher' ? measured >= bound : measured <= bound);
    const verdict = meets(aim) ? 'aim reached' : meets(must) ? 'must reached' : 'missed';
    return {
      title,
      unit,
      must,
      aim,
      value: measured ?? null,
      verdict: measured === undefined ? 'not measured' : verdict,
    };
  });
}

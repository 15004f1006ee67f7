/** What a run yields, and what follows from it. */
import type { ContenderKind } from './contender.js';
import { REFERENCE } from './contenders/index.js';
import type { Machine } from './machine.js';
import { METRICS, type MetricId, type Sample } from './metrics.js';
import { median } from './stats.js';

export interface ContenderResult {
  readonly name: string;
  readonly kind: ContenderKind;
  readonly encrypted: boolean;
  readonly setup: string;
  readonly version: string | undefined;
  /** What carried the packets in each round, where the contender says so. */
  readonly carriers: readonly string[];
  readonly medians: Sample;
  /** One a round, in order; a round in which every visit failed is missing. */
  readonly samples: readonly Sample[];
  /** The share of the machine (0 to 1) that others used during each sample. */
  readonly disturbances: readonly number[];
  /** Why visits failed (they are repeated), or why the contender did not run at all. */
  readonly failures: readonly string[];
}

export interface Results {
  /** ISO 8601 */
  readonly date: string;
  readonly machine: Machine;
  readonly rounds: number;
  /** Of each workload. */
  readonly seconds: number;
  readonly congestionControl: string;
  readonly contenders: readonly ContenderResult[];
}

/** Why the contenders that failed did: not in every round was there a sample of them. */
export function failuresOf({ rounds, contenders }: Pick<Results, 'rounds' | 'contenders'>): string[] {
  return contenders
    .filter(({ samples }) => samples.length < rounds)
    .map(({ name, failures }) => `${name}: ${(failures.at(-1) ?? 'it was not measured').split('\n', 1)[0]}`);
}

/** The medians of each figure over the samples that have it. */
export function mediansOf(samples: readonly Sample[]): Sample {
  const medians: Sample = {};
  for (const { id } of METRICS) {
    const values = samples.map((sample) => sample[id]).filter((value) => value !== undefined);
    if (values.length > 0) medians[id] = median(values);
  }
  return medians;
}

export function figure(results: Results, name: string, id: MetricId): number | undefined {
  return results.contenders.find((contender) => contender.name === name)?.medians[id];
}

/** The best encrypted peer in a figure. */
export function bestPeer(results: Results, id: MetricId): { name: string; value: number } | undefined {
  const sign = METRICS.find((metric) => metric.id === id)?.better === 'lower' ? -1 : 1;
  const candidates = results.contenders
    .filter(({ kind, encrypted }) => kind === 'peer' && encrypted)
    .flatMap(({ name, medians }) => (medians[id] === undefined ? [] : [{ name, value: medians[id] }]));
  return candidates.sort((x, y) => sign * (y.value - x.value))[0];
}

/** A figure of a contender as a multiple of the reference's. */
export function ratioToReference(results: Results, name: string, id: MetricId): number | undefined {
  return ratioTo(REFERENCE.name, results, name, id);
}

/** A figure of a contender as a multiple of that of `other`. */
export function ratioTo(other: string, results: Results, name: string, id: MetricId): number | undefined {
  return ratio(figure(results, name, id), figure(results, other, id));
}

/** A figure of a contender as a multiple of the best encrypted peer's. */
export function ratioToBestPeer(results: Results, name: string, id: MetricId): number | undefined {
  return ratio(figure(results, name, id), bestPeer(results, id)?.value);
}

/** Undefined where one of them was not measured. */
export function ratio(value: number | undefined, base: number | undefined): number | undefined {
  return value === undefined || base === undefined || base === 0 ? undefined : value / base;
}

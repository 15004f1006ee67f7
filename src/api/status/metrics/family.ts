import type { Observation } from '../observation.js';

/** One metric: its name, what it means, and where its values come from. */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** Names of labels. What they may be is bounded. */
  readonly labels?: readonly string[];
  readonly samples: (seen: Observation) => readonly Sample[];
}

export interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

type Read = (seen: Observation) => number | null | undefined;

/** A metric of one value; null and undefined: not known, so it is left out. */
export function gauge(name: string, help: string, read: Read): Family {
  return { name, type: 'gauge', help, samples: (seen) => one(read(seen)) };
}

/** Its name ends in `_total`. */
export function counter(name: string, help: string, read: Read): Family {
  return { name, type: 'counter', help, samples: (seen) => one(read(seen)) };
}

function one(value: number | null | undefined): Sample[] {
  return value === null || value === undefined ? [] : [{ value }];
}

/** A value for each key. */
export function byLabel(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([key, value]) => ({ value, labels: { [label]: key } }));
}

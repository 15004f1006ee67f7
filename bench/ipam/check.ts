/**
 * Runs the checker of the address ring:
 * `npx tsx bench/ipam/check.ts [--operations 10000000] [--seed N] [--episode 20000] [--liars N] [--trace]`
 * In each fourth episode one to three members lie, or with --liars so many in all of them. The episodes have the seeds N, N+1, …; a violation is reproduced by its seed and --operations 1.
 */
import { parseArgs } from 'node:util';
import { check } from '../../test/unit/ipam/checker/check.js';

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '10000000' },
    seed: { type: 'string' },
    episode: { type: 'string', default: '20000' },
    liars: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
});

// Millions of errors are made here, and nobody reads their stack traces.
Error.stackTraceLimit = 0;

const first = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const wanted = Number(values.operations);
const began = performance.now();
const totals = new Map<string, number>();
let operations = 0;
/** Follows from the seed, so that a violation is reproduced by it. */
const liarsOf = (seed: number) => (seed % 4 === 0 ? 1 + ((seed / 4) % 3) : 0);
let seed = first;
console.log(`seeds from ${first}, episodes of ${values.episode} operations`);
for (; operations < wanted; seed++) {
  const trace = values.trace ? { trace: (line: string) => console.log(line) } : {};
  const liars = values.liars === undefined ? liarsOf(seed) : Number(values.liars);
  const result = check({ seed, liars, operations: Number(values.episode), ...trace });
  operations += result.operations;
  for (const [what, count] of result.counts) totals.set(what, (totals.get(what) ?? 0) + count);
}
const seconds = (performance.now() - began) / 1000;
console.log(
  `${operations} operations in ${seed - first} episodes (seeds ${first} to ${seed - 1}), ${seconds.toFixed(0)} s: nothing is wrong`,
);
for (const [what, count] of [...totals].sort(([, a], [, b]) => b - a)) console.log(`  ${count} ${what}`);

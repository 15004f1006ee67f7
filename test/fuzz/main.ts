/**
 * Feeds mutated messages to all decoders of the daemon and looks for what must not be:
 * `npx tsx test/fuzz/main.ts [--seconds 60] [--seed N] [--target NAME]`
 * What is found is written to test/fuzz/findings, from where the unit tests replay it.
 */
import { parseArgs } from 'node:util';
import { writeFinding } from './corpus.js';
import { episode, type Report, shortened } from './fuzzer.js';
import type { Target } from './target.js';
import { TARGETS } from './targets/index.js';

/** Findings after which it is better to mend than to look on. */
const MAX_FINDINGS = 10;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    target: { type: 'string' },
  },
});
const targets = TARGETS.filter(({ name }) => values.target === undefined || name.startsWith(values.target));
if (targets.length === 0) {
  console.error(`no target has a name like ${values.target}: ${TARGETS.map(({ name }) => name).join(' ')}`);
  process.exit(2);
}

const first = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const end = performance.now() + Number(values.seconds) * 1_000;
const totals = new Map<string, { executions: number; refused: number; milliseconds: number }>();
const failed = new Set<string>();
console.log(`seeds from ${first}`);

/** Targets get the same time each, not as many episodes: some are a thousand times as fast as others. */
function next(): Target | undefined {
  const spent = ({ name }: Target) => totals.get(name)?.milliseconds ?? 0;
  const left = targets.filter(({ name }) => !failed.has(name));
  return left.reduce<Target | undefined>(
    (a, b) => (a === undefined || spent(b) < spent(a) ? b : a),
    undefined,
  );
}

async function report(
  target: Target,
  seed: number,
  { error, inputs }: NonNullable<Report['failure']>,
): Promise<void> {
  const path = writeFinding(target.name, await shortened(target, inputs));
  failed.add(target.name);
  console.error(
    `${target.name}, seed ${seed}: ${error instanceof Error ? error.stack : String(error)}\n  ${path}`,
  );
}

let seed = first;
for (; performance.now() < end && failed.size < MAX_FINDINGS; seed++) {
  const target = next();
  if (target === undefined) break;
  const began = performance.now();
  const { executions, refused, failure } = await episode(target, seed);
  const total = totals.get(target.name) ?? { executions: 0, refused: 0, milliseconds: 0 };
  totals.set(target.name, {
    executions: total.executions + executions,
    refused: total.refused + refused,
    milliseconds: total.milliseconds + performance.now() - began,
  });
  if (failure !== undefined) await report(target, seed, failure);
}

for (const [name, { executions, refused }] of totals) {
  console.log(
    `  ${name.padEnd(24)} ${executions} inputs, ${((100 * refused) / executions).toFixed(0)} % refused`,
  );
}
const sum = [...totals.values()].reduce((all, { executions }) => all + executions, 0);
console.log(`${sum} inputs, ${failed.size === 0 ? 'nothing is wrong' : `${failed.size} targets failed`}`);
process.exit(failed.size === 0 ? 0 : 1);

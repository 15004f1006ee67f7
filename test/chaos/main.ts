/**
 * `make chaos SEED=… MINUTES=…`: lets things happen to a small network at random until the time is over or something is not as it must be; then it
 * exits with 1, and tells the seed.
 */
import { parseArgs } from 'node:util';
import { Lab } from '../lab/index.js';
import { chaos } from './chaos.js';

const { values } = parseArgs({ options: { seed: { type: 'string' }, minutes: { type: 'string' } } });
const seed = Number(values.seed || Math.floor(Math.random() * 2 ** 31));
const minutes = Number(values.minutes || 10);
if (!Number.isInteger(seed) || !(minutes > 0)) {
  console.error('chaos: SEED is a whole number and MINUTES a number above 0, such as SEED=7 MINUTES=30');
  process.exit(2);
}

const started = performance.now();
const seconds = () => (performance.now() - started) / 1000;
const say = (what: string) => console.log(`${seconds().toFixed(1).padStart(7)} s  ${what}`);
say(`seed ${seed}`);
const lab = await Lab.create();
try {
  const rounds = await chaos(lab, { seed, goesOn: () => seconds() < minutes * 60, say });
  say(`${rounds} rounds`);
} catch (error) {
  for (const host of lab.machines) console.error((await host.tryWeft('status', 'ipam')).stdout);
  console.error(`${lab.logs()}\n${error instanceof Error ? error.stack : String(error)}\nseed ${seed}`);
  process.exitCode = 1;
} finally {
  lab.remove();
}

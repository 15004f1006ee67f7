/**
 * `make chaos SEED=… MINUTES=…`: lets things happen to a small network at random until the time is over or something is not as it must be; then it
 * exits with 1, and tells the seed.
 */
import { parseArgs } from 'node:util';
import { type Host, Lab } from '../lab/index.js';
import { chaos } from './chaos.js';

const { values } = parseArgs({ options: { seed: { type: 'string' }, minutes: { type: 'string' } } });
const seed = Number(values.seed || Math.floor(Math.random() * 2 ** 31));
const minutes = Number(values.minutes || 10);
if (!Number.isInteger(seed) || !(minutes > 0)) {
  console.error('chaos: SEED is a whole number and MINUTES a number above 0, such as SEED=7 MINUTES=30');
  process.exit(2);
}

/** What is on a host, for whoever looks for why it is not as it must be. */
async function tellStateOf(host: Host): Promise<void> {
  console.error(`--- ${host.name}`);
  for (const what of [['status', 'ipam'], ['ps'], ['status', 'connections']])
    console.error((await host.tryWeft(...what)).stdout);
  for (const command of [
    'ip -brief link',
    'bridge fdb show br weft',
    'nft list table bridge weft-weft-ports',
  ])
    console.error((await host.attempt(command.split(' '))).stdout);
  for (const container of host.containers)
    console.error(container.name, (await container.attempt(['ip', 'neighbour'])).stdout);
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
  for (const host of lab.machines) await tellStateOf(host);
  console.error(`${lab.logs()}\n${error instanceof Error ? error.stack : String(error)}\nseed ${seed}`);
  process.exitCode = 1;
} finally {
  lab.remove();
}

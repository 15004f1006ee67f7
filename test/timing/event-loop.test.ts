import { expect, test } from 'vitest';
import { difference } from '../../src/api/status/mesh/difference.js';
import { metricsText, PEER_SERIES_LIMIT } from '../../src/api/status/metrics/index.js';
import { LinksBetweenOthers } from '../../src/daemon/mesh-view/told-links.js';
import { fullMesh, idOf, SyntheticMesh } from '../ui/synthetic.js';
import { crowd, observation } from '../unit/api/status/observations.js';

/** Milliseconds for which a router's event loop may be blocked. */
const LONGEST_BLOCK = 25;

test('the view of 500 hosts that all have links with each other blocks nobody for longer', async () => {
  const mesh = new SyntheticMesh(500, 20);
  const [before, after] = [await mesh.view(), await mesh.view()];
  const snapshot = quickest(() => JSON.stringify(difference(undefined, after, 1)));
  const change = quickest(() => JSON.stringify(difference(before, after, 1)));
  const ids = Array.from({ length: 500 }, (_, i) => idOf(i));
  const states = fullMesh(ids);
  const told = await longestBlock(() => new LinksBetweenOthers().of(states, idOf(0), () => true));
  const times = { snapshot, change, told };
  console.log(
    `500 hosts, in ms: ${Object.entries(times).map(([name, time]) => `${name} ${time.toFixed(1)}`)}`,
  );
  for (const time of Object.values(times)) expect(time).toBeLessThan(LONGEST_BLOCK);
});

test('metrics of 1,000 peers block nobody for longer', async () => {
  for (const seen of [observation(crowd(1_000)), observation(crowd(PEER_SERIES_LIMIT))]) {
    const block = await longestBlock(() => metricsText(seen, 'text'));
    console.log(`metrics of ${seen.peers.length} peers, in ms: ${block.toFixed(1)}`);
    expect(block).toBeLessThan(LONGEST_BLOCK);
  }
});

const RUNS = 7;

/** Milliseconds: the least of some runs, since others are at work on the machine, too. */
function quickest(work: () => unknown): number {
  const times = Array.from({ length: RUNS }, () => {
    const began = performance.now();
    work();
    return performance.now() - began;
  });
  return Math.min(...times);
}

/** How long nothing else could go on meanwhile; of some runs the least. */
async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run += 1) {
    let [isOver, longest, last] = [false, 0, performance.now()];
    const look = () => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
      if (!isOver) setImmediate(look);
    };
    setImmediate(look);
    await work();
    isOver = true;
    look();
    least = Math.min(least, longest);
  }
  return least;
}

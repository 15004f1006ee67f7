import { describe, test } from 'vitest';
import { allConnected, allKnown, allLinked, onTwoWires } from '../hosts/members/members.js';
import { onLab } from '../lab/suite.js';

const world = onLab((lab) => onTwoWires(lab, 12));

describe('twelve routers', () => {
  test('launched at once in any order know and reach each other within 3 s of the last one being ready', async () => {
    const { hosts, token, seeds } = world();
    await Promise.all(shuffled(hosts).map((host) => host.launch({ token, peers: seeds })));
    await Promise.all([allKnown(hosts, 3_000), allConnected(hosts, 3_000), allLinked(hosts, 3_000)]);
  });
});

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((value) => ({ value, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ value }) => value);
}

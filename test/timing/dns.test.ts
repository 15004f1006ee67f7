import { describe, test } from 'vitest';
import { everywhere, threeHosts } from '../hosts/names/dig.js';
import { onLab } from '../lab/suite.js';

describe('names of containers on three hosts', () => {
  const world = onLab((lab) => threeHosts(lab));

  test('that are added on one host are answered on all within 500 ms', async () => {
    const { b, c2, all } = world();
    await b.weft('dns-add', c2.namespace, '-h', 'quick');
    await everywhere(all, ['quick.weft.local'], ['10.32.0.2'], 500);
    await b.weft('dns-remove', c2.namespace, '-h', 'quick');
    await everywhere(all, ['quick.weft.local'], [], 500);
  });
});

import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Words } from '../gossip/words.js';
import { addressOf, startMesh, until } from './meshes.js';

describe('a mesh', () => {
  test('carries channels between routers that are not linked, also those that are opened late', async () => {
    const discovery = false;
    const [anna, ben, carl] = [
      await startMesh('anna', { discovery }),
      await startMesh('ben', { discovery }),
      await startMesh('carl', { discovery }),
    ];
    const words = [new Words(), new Words(), new Words()];
    const [a = new Words(), b = new Words(), c = new Words()] = words;
    const open = anna.openChannel(a);
    ben.openChannel(b);
    anna.connect([addressOf(ben)]);
    carl.connect([addressOf(ben)]);
    await until(ben, ['link-up'], () => ben.links().length === 2);
    a.add('early', open);
    while (!b.all.has('early')) await new Promise((resolve) => setTimeout(resolve, 5));
    const late = carl.openChannel(c);
    c.add('late', late);
    const whole = randomBytes(32 * 1024).toString('hex');
    a.add(whole, open);
    while (words.some(({ all }) => all.size < 3)) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(carl.links()).toHaveLength(1);
    expect(() => carl.openChannel(new Words())).toThrow(/open already/);
  });
});

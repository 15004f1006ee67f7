import { expect, test } from 'vitest';
import { chaos } from '../../chaos/chaos.js';
import { Lab } from '../../lab/index.js';

const ROUNDS = 2;

test('a network to which things happen at random is whole again soon, and nothing is left behind', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const lab = await Lab.create();
  try {
    const rounds = await chaos(lab, { seed, goesOn: (done) => done < ROUNDS, say: console.log });
    expect(rounds).toBe(ROUNDS);
  } catch (error) {
    console.error(`make chaos SEED=${seed}\n${lab.logs()}`);
    throw error;
  } finally {
    lab.remove();
  }
});

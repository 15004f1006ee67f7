import type { Lab } from '../../lab/index.js';
import { pair } from '../pair.js';

/** A hostile container of one host, and containers beside it and on another host. */
export async function withHostileContainer(lab: Lab) {
  const [a, b] = await lab.hosts(2);
  const { c1, c2 } = await pair(a, b);
  const near = await a.container('near', '10.32.0.3/24', 'fd32::3/64');
  await near.reaches(c2.address);
  return { a, b, attacker: c1, near, far: c2 };
}

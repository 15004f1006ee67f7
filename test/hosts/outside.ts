import type { Lab } from '../lab/index.js';
import { pair } from './pair.js';

/** A pair of which the first is on a second wire, too, on which there is a machine that knows nothing of the overlay. */
export async function withOutside(lab: Lab) {
  const [inner, outer] = [await lab.wire(), await lab.wire()];
  const [a, b, outside] = [await lab.host(inner, outer), await lab.host(inner), await lab.host(outer)];
  return { outside, ...(await pair(a, b)) };
}

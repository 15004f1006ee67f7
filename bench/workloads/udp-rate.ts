/**
 * The highest UDP rate without loss.
 *
 * A rate holds if a trial of half a second at it loses at most 0.1 % of its packets; a failed trial is repeated once, because one
 * stall of a shared machine is not the contender's. The search doubles until a rate does not hold, then halves the (geometric)
 * interval until it is within 8 %. What counts is the trial that held with the highest rate of arrival.
 *
 * iperf3 sends one packet a system call and shares the cores with the contender, so it has a ceiling of its own: the search
 * ends where it cannot send faster, and the raw wire's figure shows that ceiling.
 */
import type { UdpResult } from './iperf.js';

/** What the search looks at. */
export type Outcome = Pick<UdpResult, 'received' | 'loss'>;

export const LOSS_LIMIT = 0.001;
export const TRIAL_SECONDS = 0.5;
const PRECISION = 1.08;
const LOWEST_RATE = 500;

/** Offers a rate (packets a second) and tells what came of it. */
export type Trial<Result extends Outcome> = (rate: number) => Promise<Result>;

/** Searches from `startRate`; resolves to the best trial, undefined if not even the lowest rate holds. */
export async function searchUdpRate<Result extends Outcome>(
  trial: Trial<Result>,
  startRate: number,
): Promise<Result | undefined> {
  let best: Result | undefined;
  let holds = 0;
  let fails = Number.POSITIVE_INFINITY;
  let rate = startRate;
  while (fails > LOWEST_RATE && fails / Math.max(holds, 1) > PRECISION) {
    const result = await bestOfTwo(trial, rate);
    if (result.loss <= LOSS_LIMIT) {
      if (best === undefined || result.received > best.received) best = result;
      if (result.received < rate * 0.95) break;
      holds = rate;
    } else {
      fails = rate;
    }
    rate = nextRate(holds, fails);
  }
  return best;
}

async function bestOfTwo<Result extends Outcome>(trial: Trial<Result>, rate: number): Promise<Result> {
  const first = await trial(rate);
  return first.loss <= LOSS_LIMIT ? first : trial(rate);
}

function nextRate(holds: number, fails: number): number {
  if (fails === Number.POSITIVE_INFINITY) return holds * 2;
  return holds === 0 ? Math.max(fails / 2, LOWEST_RATE) : Math.sqrt(holds * fails);
}

import type { Transport } from '../port/index.js';

/** What a hop costs beyond its round trip: the relay's own work, in microseconds. */
const HOP = 1_000;
/** What TCP costs beyond: one lost packet holds up all that come behind it. */
const TCP_FACTOR = 2;
const TCP_EXTRA = 20_000;
/** Others hear of a change that is larger than this, in microseconds: a busy host's round trips tremble by a few milliseconds. */
const WORTH_TELLING = 5_000;
/** Of a link whose round trip is not known yet. */
const UNKNOWN_RTT = 50_000;

export interface LinkQuality {
  /** Microseconds; null when nothing was measured yet. */
  readonly rtt: number | null;
  /** 0 to 1. */
  readonly loss: number;
  readonly transport: Transport;
}

/**
 * What it costs to send over a link, in microseconds that can be added along a path: its round trip, more for every packet that is lost and
 * for TCP. A path over UDP relays is preferred to TCP until it is about 20 ms and twice as long.
 */
export function linkCost({ rtt, loss, transport }: LinkQuality): number {
  const arrives = 1 - Math.min(loss, 0.9);
  const udp = (rtt ?? UNKNOWN_RTT) / arrives ** 2 + HOP;
  return Math.round(transport === 'udp' ? udp : udp * TCP_FACTOR + TCP_EXTRA);
}

/** The shortest of some round trips; null when none was measured. */
export function shortest(rtts: readonly (number | null)[]): number | null {
  const measured = rtts.filter((rtt) => rtt !== null);
  return measured.length === 0 ? null : Math.min(...measured);
}

/** Whether others need to hear of a new cost: a smaller change would only make noise. */
export function isOtherCost(before: number, now: number): boolean {
  const [low, high] = before < now ? [before, now] : [now, before];
  return high > low * 1.5 && high - low > WORTH_TELLING;
}

import type { RingRecord, VersionedSpan } from '../ring/index.js';

/*
 * Incarnations, and the versions of records that take addresses over, are times in units of 1/1024 ms: they
 * are later than everything that nobody remembers any more, and no two are equal. Because a clock may be
 * slow, a version also leaps over the highest one that is known, by a random distance, so that two routers
 * that leap from the same version do not meet.
 */
const UNITS_PER_MS = 1_024;
const MIN_LEAP = 1_000;
const LEAP_SPREAD = 2 ** 20;
/**
 * How far versions and incarnations of others may be ahead of the clock, in milliseconds: further than an honest clock is wrong, and
 * ever in the future, so that whoever claims the highest one that is taken can be superseded a moment later.
 */
const MAX_AHEAD = 10 * 365 * 24 * 3_600_000;
/** Where a host has lost the time, its clock begins long ago: no router runs before this. */
const EARLIEST = Date.UTC(2026, 0);

/**
 * An incarnation later than the latest known one. `now` is Unix time in milliseconds, `random` a number from
 * 0 to 1.
 */
export function incarnationAfter(latest: number, now: number, random: number): number {
  return Math.max(latest, timeOf(now)) + 1 + Math.floor(random * UNITS_PER_MS);
}

/** A version that supersedes this one and every version that was forgotten. */
export function versionAfter(version: number, now: number, random: number): number {
  return Math.max(version + MIN_LEAP + Math.floor(random * LEAP_SPREAD), timeOf(now));
}

/**
 * Whether a record holds a version or an incarnation of a time that no clock shows. It is not taken, as if it had been lost on the way:
 * nobody could supersede the highest number of all.
 */
export function isAhead(record: RingRecord, now: number): boolean {
  const times =
    record.kind === 'ownership'
      ? [record.version, record.ownerIncarnation, record.signerIncarnation]
      : [record.incarnation, record.successorIncarnation];
  return times.some((time) => isFuture(time, now));
}

/** Whether no clock shows the time of this version or incarnation. */
export function isFuture(time: number, now: number): boolean {
  return time > timeOf(Math.max(now, EARLIEST) + MAX_AHEAD);
}

/** Joins spans that follow each other without a gap; the joined span has the highest of their versions. */
export function joined(spans: readonly VersionedSpan[]): VersionedSpan[] {
  const result: VersionedSpan[] = [];
  for (const { start, end, version } of spans) {
    const last = result.at(-1);
    if (last?.end !== start) result.push({ start, end, version });
    else result[result.length - 1] = { start: last.start, end, version: Math.max(last.version, version) };
  }
  return result;
}

function timeOf(now: number): number {
  return Math.floor(now) * UNITS_PER_MS;
}

import type { VersionedSpan } from '../ring/index.js';

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

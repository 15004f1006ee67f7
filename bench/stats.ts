/** Order statistics of small samples. */

/** The value below which the given share (0 to 1) of the values lies, by nearest rank; NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/**
 * The same of values that were rounded down to whole numbers: those that look alike are taken as spread evenly over the whole, as in the median of grouped data.
 * What is counted in few wholes would jump from one to the next otherwise.
 */
export function groupedPercentile(values: readonly number[], share: number): number {
  const group = percentile(values, share);
  const before = values.filter((value) => value < group).length;
  const within = values.filter((value) => value === group).length;
  return group + (share * values.length - before) / within;
}

/** The middle value, or the mean of the two middle ones; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** Figures as people read them. */

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `0 B`, `1.5 kB`, `23 MB`. */
export function bytes(count: number): string {
  const power = count < 1 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${BYTE_UNITS[power]}`;
}

/** From microseconds: `85 µs`, `1.25 ms`, `2.1 s`. */
export function latency(microseconds: number): string {
  if (microseconds < 1000) return `${Math.round(microseconds)} µs`;
  if (microseconds < 1_000_000) return `${(microseconds / 1000).toFixed(microseconds < 10_000 ? 2 : 0)} ms`;
  return `${(microseconds / 1_000_000).toFixed(1)} s`;
}

/** From seconds: `42 s`, `5 min`, `3 h 12 min`, `4 d 3 h`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** From 0 to 1: `0 %`, `1.5 %`. */
export function share(part: number): string {
  const percent = part * 100;
  return `${Number.isInteger(percent) ? percent : percent.toFixed(1)} %`;
}

/** What is not known is shown as a dash. */
export function orDash<T>(value: T | null | undefined, show: (value: T) => string = String): string {
  return value === null || value === undefined ? '-' : show(value);
}

/** Peers of one nickname are told apart by the id. */
export function peerName({ peer, nickname }: { readonly peer: string; readonly nickname: string }): string {
  return nickname === '' ? peer : `${nickname} (${peer})`;
}

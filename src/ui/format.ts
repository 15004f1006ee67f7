const NOTHING = '–';

/** A round trip, of microseconds. */
export function roundTrip(micros: number | null): string {
  if (micros === null) return NOTHING;
  return micros < 1000 ? `${Math.round(micros)} µs` : `${digits(micros / 1000)} ms`;
}

export function percent(share: number | null): string {
  return share === null ? NOTHING : `${digits(share * 100)} %`;
}

/** Of bytes a second. */
export function bitRate(bytes: number): string {
  return `${scaled(bytes * 8, 1000, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'])}`;
}

export function byteCount(bytes: number): string {
  return scaled(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB']);
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}

function scaled(value: number, base: number, units: readonly string[]): string {
  const power = value < base ? 0 : Math.min(Math.floor(Math.log(value) / Math.log(base)), units.length - 1);
  return `${digits(value / base ** power)} ${units[power]}`;
}

/** Three digits say enough. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(value < 1 ? 2 : 3)));
}

import { WeftError } from '../../errors.js';

/** Reads `5432`, `53/UDP` or `53/udp` as the API wants it. Throws `usage`. */
export function parseSocket(text: string): { port: string; protocol: string } {
  const [, port, protocol = 'TCP'] = /^([1-9]\d{0,4})(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? [];
  if (port !== undefined && Number(port) <= 65_535) return { port, protocol: protocol.toUpperCase() };
  throw new WeftError('usage', `"${text}" is no port: give PORT or PORT/PROTOCOL, such as 53/UDP`);
}

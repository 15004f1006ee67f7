import { WeftError } from '../../errors.js';

/** Reads `5432`, `53/UDP` or `53/udp` as the API wants it. Throws `usage`. */
export function parseSocket(text: string): { port: string; protocol: string } {
  const [, port, protocol = 'TCP'] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? [];
  if (port !== undefined) return { port, protocol: protocol.toUpperCase() };
  throw new WeftError('usage', `"${text}" is no port: give PORT or PORT/PROTOCOL, such as 53/UDP`);
}

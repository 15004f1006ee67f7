import { setTimeout as delay } from 'node:timers/promises';
import { chooseMtu } from '../../hostnet/index.js';
import { parseHostPort, resolveHostPort } from '../../net/index.js';

const RESOLVE_TIMEOUT = 300;

/** The MTU of all segments: the one that fits this host's way to its targets. A name that does not resolve at once is left out. */
export async function mtuFor(targets: readonly string[]): Promise<number> {
  const resolved = await Promise.all(targets.map(resolve));
  return await chooseMtu(resolved.filter((address) => address !== undefined));
}

async function resolve(target: string): Promise<string | undefined> {
  const found = resolveHostPort(parseHostPort(target)).then(
    ([first]) => first?.host,
    () => undefined,
  );
  return await Promise.race([found, delay(RESOLVE_TIMEOUT, undefined, { ref: false })]);
}

import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { nameserversIn } from '../../../dns/index.js';
import { systemCode } from '../../../errors.js';
import { formatHostPort, ipHostPort } from '../../../net/index.js';
import { lookAgain, type Snapshot, type Source, type SourceContext } from '../source.js';

/** A name is looked up so often at least, in milliseconds; the time to live of its records may ask for more. */
const EVERY = 30_000;
/** No more often than that, whatever the time to live. */
const REST = 5_000;
/** An answer is waited for so long, in milliseconds, and asked for so often. */
const PATIENCE = { timeout: 3_000, tries: 2 } as const;
/** What DNS says where there are no such records. */
const ABSENT = new Set(['ENODATA', 'ENOTFOUND']);

/** The addresses of a name; the places that its SRV records name when it begins with an underscore. */
export function dnsSource(name: string, place: string, port: number, context: SourceContext): Source {
  const look = async (signal: AbortSignal) => {
    // Made anew each time: the servers may be others now.
    const resolver = new Resolver(PATIENCE);
    const servers = nameserversIn(await readFile(context.resolvConf, 'utf8').catch(() => ''));
    if (servers.length > 0) resolver.setServers(servers);
    const cancel = () => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return place.startsWith('_') ? await services(resolver, place) : await hosts(resolver, place, port);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  };
  return { name, follow: (signal) => lookAgain(look, EVERY, context.pause, signal) };
}

async function services(resolver: Resolver, place: string): Promise<Snapshot> {
  const records = await resolver.resolveSrv(place).catch(noneIfAbsent);
  return { targets: records.map(({ name, port }) => `${name}:${port}`), whole: true };
}

async function hosts(resolver: Resolver, place: string, port: number): Promise<Snapshot> {
  const asked = await Promise.allSettled([
    resolver.resolve4(place, { ttl: true }).catch(noneIfAbsent),
    resolver.resolve6(place, { ttl: true }).catch(noneIfAbsent),
  ]);
  const answers = asked.filter((answer) => answer.status === 'fulfilled').map(({ value }) => value);
  const [failure] = asked.filter((answer) => answer.status === 'rejected');
  if (failure !== undefined && answers.every((records) => records.length === 0)) throw failure.reason;
  const records = answers.flat();
  return {
    targets: records.map(({ address }) => formatHostPort(ipHostPort(address, port))),
    whole: failure === undefined,
    freshFor: Math.max(REST, 1000 * Math.min(...records.map(({ ttl }) => ttl))),
  };
}

function noneIfAbsent(error: unknown): never[] {
  if (ABSENT.has(systemCode(error) ?? '')) return [];
  throw error;
}

import { lookup } from 'node:dns/promises';
import { systemCode, WeftError } from '../errors.js';
import { type HostPort, ipHostPort } from './address.js';

/** What getaddrinfo says when nobody answered, who may answer later. */
const UNANSWERED = new Set(['EAI_AGAIN', 'ETIMEOUT', 'ETIMEDOUT', 'ESERVFAIL']);

/** Questions that are being asked: whoever asks the same meanwhile gets the same answer. While DNS is silent each takes half a minute of a thread. */
const asked = new Map<string, Promise<string[]>>();

/**
 * All addresses of a place, asked anew each time, since those of a name change. Rejects with `name-unanswered` when no DNS server answers,
 * and with `name-not-found` when one says that there is none.
 */
export async function resolveHostPort(place: HostPort): Promise<HostPort[]> {
  if (place.kind !== 'name') return [place];
  const addresses = await addressesOf(place.host);
  return addresses.map((address) => ipHostPort(address, place.port));
}

function addressesOf(name: string): Promise<string[]> {
  const pending = asked.get(name);
  if (pending !== undefined) return pending;
  const answer = lookup(name, { all: true })
    .then((found) => found.map(({ address }) => address))
    .catch((error: unknown) => {
      throw unresolved(name, error);
    })
    .finally(() => asked.delete(name));
  asked.set(name, answer);
  return answer;
}

function unresolved(name: string, cause: unknown): WeftError {
  const code = systemCode(cause) ?? '';
  if (UNANSWERED.has(code)) {
    const message = `no DNS server says where ${name} is (${code}): check /etc/resolv.conf, and whether its servers answer`;
    return new WeftError('name-unanswered', message, { cause });
  }
  const message = `the name ${name} cannot be resolved (${String(cause)}): check the spelling and /etc/resolv.conf`;
  return new WeftError('name-not-found', message, { cause });
}

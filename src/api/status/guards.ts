import { hostname } from 'node:os';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { WeftError } from '../../errors.js';
import { parseHostPort } from '../../net/index.js';

/** Nothing is loaded from elsewhere, kept anywhere, or shown inside of somebody else's page. */
const HEADERS = {
  'content-security-policy':
    "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** Lets nothing through but what a reader of this host's own address sends. Throws `read-only`, `bad-request` or `foreign-site`. */
export async function guard({ method, headers }: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.headers(HEADERS);
  if (method !== 'GET') {
    reply.header('allow', 'GET');
    throw new WeftError(
      'read-only',
      `${method} is refused: the status address answers GET only, \`weft\` changes things`,
    );
  }
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0) {
    reply.header('connection', 'close');
    throw new WeftError('bad-request', 'a question to the status address has no body');
  }
  const { host = '', origin } = headers;
  if (!isOwn(host)) throw foreign(`"${host.slice(0, 128)}" is not the name of this host`);
  if (origin !== undefined && !isOf(origin, host)) throw foreign('a page of another site asks');
}

/**
 * Whether the Host header can be of somebody who means this host. A name that a foreign page had resolve to our address (DNS
 * rebinding) is the page's own, and no address.
 */
function isOwn(host: string): boolean {
  try {
    const { kind, host: name } = parseHostPort(host);
    return kind !== 'name' || ownNames().includes(name);
  } catch {
    return false;
  }
}

function ownNames(): string[] {
  const name = hostname().toLowerCase();
  return ['localhost', name, name.split('.')[0] ?? name];
}

function isOf(origin: string, host: string): boolean {
  return origin.toLowerCase() === `http://${host.toLowerCase()}`;
}

function foreign(why: string): WeftError {
  return new WeftError(
    'foreign-site',
    `${why}: ask by an IP address, by localhost or by the host name ${hostname()}, and not out of a foreign page`,
  );
}

import { messageOf, WeftError } from '../../errors.js';
import { findAccess } from '../../kubernetes/index.js';
import { DEFAULT_PORT, parseTarget } from '../../net/index.js';
import { loggable } from '../../text/index.js';
import type { Source, SourceContext } from './source.js';
import {
  consulSource,
  dnsSource,
  etcdSource,
  execSource,
  fileSource,
  kubernetesSource,
  mdnsSource,
  parseUrl,
  placesOf,
} from './sources/index.js';

type Make = (context: SourceContext) => Source;

/** Each reads its argument, or throws what is wrong with it. `name` is what the source is called if its argument holds no secret. */
const KINDS: Readonly<Record<string, (argument: string, name: string) => Make>> = {
  dns: (argument, name) => {
    if (/^_[^:]*$/.test(argument)) return (context) => dnsSource(name, argument, DEFAULT_PORT, context);
    const { kind, host, port } = parseTarget(argument);
    if (kind !== 'name') throw new Error('it is an address and no name: give it as a peer instead');
    return (context) => dnsSource(name, host, port, context);
  },
  file: (argument, name) => {
    const path = wholePath(argument);
    return (context) => fileSource(name, path, context);
  },
  exec: (argument, name) => {
    const path = wholePath(argument);
    return (context) => execSource(name, path, context);
  },
  etcd: (argument) => {
    const url = parseUrl(argument);
    if (url.pathname === '/')
      throw new Error('the prefix of the keys is missing: write http://HOST:PORT/PREFIX');
    return (context) => etcdSource(url, context);
  },
  consul: (argument) => {
    const url = parseUrl(argument);
    const service = decodeURIComponent(url.pathname.slice(1));
    if (!/^[A-Za-z0-9_-]{1,63}$/.test(service))
      throw new Error('the service is missing: write http://HOST:PORT/SERVICE');
    return (context) => consulSource(url, service, context);
  },
  mdns: (argument, name) => {
    const service = argument === '' ? 'weft' : argument;
    if (!/^(?=.{1,15}$)[a-z0-9]+(-[a-z0-9]+)*$/.test(service))
      throw new Error('a service has 15 small letters, digits and dashes at most; leave it out for "weft"');
    return (context) =>
      mdnsSource(name, service, async () => placesOf(await context.ownAddresses()), context);
  },
  kubernetes: (argument, name) => {
    if (argument !== '' && !/^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})?$/.test(argument))
      throw new Error('write SERVICE or SERVICE.NAMESPACE, or nothing for all nodes');
    const [service = '', namespace] = argument.split('.');
    const sought = service === '' ? undefined : { service, namespace };
    return (context) => kubernetesSource(name, sought, { access: () => findAccess(process.env) }, context);
  },
};

/** Reads `KIND:ARGUMENT`. Throws `bad-source`. */
export function parseSource(text: string): Make {
  const [, kind = '', argument = ''] = /^([a-z]+):(.*)$/s.exec(text) ?? [];
  const read = KINDS[kind];
  const kinds = Object.keys(KINDS).join(', ');
  if (read === undefined) throw badSource(kind || text, `write KIND:ARGUMENT, with one of ${kinds}`);
  try {
    if (loggable(argument) !== argument)
      throw new Error('it has characters that cannot be printed, or too many');
    return read(argument, text);
  } catch (error) {
    throw badSource(`${kind}:`, messageOf(error));
  }
}

/** What is wrong with it holds no secret, and the rest of it may. */
function badSource(what: string, why: string): WeftError {
  return new WeftError('bad-source', `--discover ${loggable(what)}… cannot be used: ${why}`);
}

function wholePath(text: string): string {
  if (!text.startsWith('/'))
    throw new Error('give the whole path, which begins with a slash: the router runs elsewhere');
  return text;
}

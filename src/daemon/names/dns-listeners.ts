import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import type { DnsWaiting } from '../../api/index.js';
import type { DnsServer, DnsSockets } from '../../dns/index.js';
import { systemCode, WeftError } from '../../errors.js';
import { formatHostPort, type HostPort, parseHostPort } from '../../net/index.js';
import type { Log } from '../logging/index.js';

const DNS_PORT = 53;

export interface DnsListenersOptions {
  /** As the user wrote them; those of earlier launches, too. */
  readonly addresses: readonly string[];
  /** This launch names them: one that another program has is refused. Else it is waited for, since nobody sits there to choose another. */
  readonly chosenNow: boolean;
  readonly server: DnsServer;
  /** Of whoever asks there. */
  readonly network: number;
  readonly log: Log;
}

/** An address at which names are to be served. */
interface Place {
  readonly at: HostPort;
  open: Open | undefined;
  /** Why it is not open, as the system calls it. */
  obstacle: string | undefined;
}

interface Open {
  readonly sockets: DnsSockets;
  readonly link: number | undefined;
}

/**
 * Addresses of this host at which names are served because the launch asked for it. They may come after us (docker0 at boot), go, and come
 * back: each is served while the host has it.
 */
export class DnsListeners {
  readonly #options: DnsListenersOptions;
  readonly #places: readonly Place[];

  constructor(options: DnsListenersOptions) {
    this.#options = options;
    const distinct = new Map(options.addresses.map(parseListenAddress).map((at) => [formatHostPort(at), at]));
    this.#places = [...distinct.values()].map((at) => ({ at, open: undefined, obstacle: undefined }));
  }

  /** Serves where that can be. Rejects with `dns-address` where this launch asked for what will not come by waiting. */
  async start(): Promise<void> {
    for (const place of this.#places) {
      await this.#tryOpen(place);
      const refused = place.obstacle !== undefined && !isAbsence(place.obstacle);
      if (refused && this.#options.chosenNow) throw refusal(place);
    }
  }

  /** Follows the addresses of the host. */
  async check(): Promise<void> {
    for (const place of this.#places) {
      if (place.open !== undefined && !(await isHere(place.at, place.open.link))) this.#close(place);
      if (place.open === undefined) await this.#tryOpen(place);
    }
  }

  listening(): string[] {
    return this.#places.filter(({ open }) => open !== undefined).map(({ at }) => formatHostPort(at));
  }

  waiting(): DnsWaiting[] {
    return this.#places.flatMap(({ at, obstacle }) =>
      obstacle === undefined ? [] : [{ address: formatHostPort(at), reason: reasonOf(obstacle) }],
    );
  }

  async #tryOpen(place: Place): Promise<void> {
    const link = linkOf(place.at);
    try {
      const sockets = await listenAt(place.at);
      place.open = { sockets, link };
      this.#options.server.serve(sockets, this.#options.network);
      this.#note(place, undefined);
    } catch (error) {
      this.#note(place, systemCode(error) ?? String(error));
    }
  }

  #close(place: Place): void {
    if (place.open !== undefined) this.#options.server.drop(place.open.sockets);
    place.open = undefined;
  }

  /** Says once what became of a place. */
  #note(place: Place, obstacle: string | undefined): void {
    const { log } = this.#options;
    const address = formatHostPort(place.at);
    if (place.obstacle === obstacle) return;
    place.obstacle = obstacle;
    if (obstacle === undefined) log.info(`names are served at ${address} now`, { address });
    else log.warn(`names are not served at ${address} yet: ${reasonOf(obstacle)}`, { address });
  }
}

/** Where else to listen: an address of this host, port 53 unless it says another. Throws `bad-address`. */
export function parseListenAddress(text: string): HostPort {
  const address = parseHostPort(text, DNS_PORT);
  if (address.kind === 'name') {
    throw new WeftError('bad-address', `"${text}" is a name: the DNS server listens at an IP address`);
  }
  const range = ipaddr.parse(address.host).range();
  if (range === 'multicast' || range === 'broadcast') {
    throw new WeftError(
      'bad-address',
      `"${text}" is a ${range} address: the DNS server listens at one of a host`,
    );
  }
  return address;
}

/** Both kinds of sockets, in the host's own namespace. */
async function listenAt({ kind, host, port }: HostPort): Promise<DnsSockets> {
  const udp = createSocket(kind === 'ipv6' ? 'udp6' : 'udp4');
  const tcp = createServer();
  try {
    udp.bind(port, host);
    await once(udp, 'listening');
    await listening(tcp, port, host);
    return { udp: [udp], tcp: [tcp] };
  } catch (error) {
    udp.close();
    throw error;
  }
}

async function listening(server: Server, port: number, host: string): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening');
}

/** Whether the host has the address; where it says of which interface, that interface must be the same one as before. */
async function isHere(at: HostPort, link: number | undefined): Promise<boolean> {
  if (linkOf(at) !== link) return false;
  const socket = createSocket(at.kind === 'ipv6' ? 'udp6' : 'udp4');
  try {
    socket.bind(0, at.host);
    await once(socket, 'listening');
    return true;
  } catch (error) {
    return !isAbsence(systemCode(error) ?? '');
  } finally {
    socket.close();
  }
}

/** Number of the interface that an address with a zone names. */
function linkOf({ host }: HostPort): number | undefined {
  const [, zone = ''] = host.split('%');
  const addresses = networkInterfaces()[zone] ?? [];
  return addresses.map((address) => (address.family === 'IPv6' ? address.scopeid : 0)).find((id) => id !== 0);
}

/** What bind answers when the host does not have the address; EINVAL where it does not have the interface of a link-local one. */
function isAbsence(code: string): boolean {
  return code === 'EADDRNOTAVAIL' || code === 'EINVAL' || code === 'ENODEV';
}

function reasonOf(obstacle: string): string {
  if (isAbsence(obstacle)) return 'this host does not have the address';
  return obstacle === 'EADDRINUSE' ? 'another program listens there' : obstacle;
}

function refusal({ at, obstacle = '' }: Place): WeftError {
  const which =
    obstacle === 'EADDRINUSE' ? ` (\`ss -lnptu sport = :${at.port}\` shows which): stop it, or` : ':';
  return new WeftError(
    'dns-address',
    `the DNS server cannot listen at ${formatHostPort(at)}: ${reasonOf(obstacle)}${which} choose another --dns-listen-address`,
  );
}

/** What a runtime is told of an interface, as its version of the specification has it. */
import { isIpv6 } from '../../net/index.js';
import type { PlatformNetworks } from '../platform/index.js';
import type { CniResult, Configuration, Dns } from './configuration.js';
import type { Made } from './interfaces.js';
import { isSince } from './versions.js';

export interface ResultOptions {
  readonly configuration: Configuration;
  /** Path of the container's network namespace. */
  readonly sandbox: string;
  /** What the interface is called in there. */
  readonly inside: string;
  readonly networks: Pick<PlatformNetworks, 'dns' | 'mtu'>;
}

/** The answer to ADD: what earlier plugins of the chain made comes first. */
export function resultOf({ endpoint, routes }: Made, options: ResultOptions): Record<string, unknown> {
  const { configuration, sandbox, inside, networks } = options;
  const { cniVersion, prevResult = {} } = configuration;
  const mtu = isSince(cniVersion, '1.1.0') ? { mtu: networks.mtu } : {};
  const before = prevResult.interfaces ?? [];
  const gatewayOf = (address: string) =>
    routes.find(({ destination, gateway }) => gateway !== null && isIpv6(destination) === isIpv6(address))
      ?.gateway ?? null;
  const ips = endpoint.addresses.map((address) => ({
    ...(isSince(cniVersion, '1.0.0') ? {} : { version: isIpv6(address) ? '6' : '4' }),
    address,
    ...(gatewayOf(address) !== null && { gateway: gatewayOf(address) }),
    interface: before.length + 1,
  }));
  return {
    cniVersion,
    interfaces: [
      ...before,
      { name: endpoint.port, ...mtu },
      { name: inside, mac: endpoint.mac, ...mtu, sandbox },
    ],
    ips: [...(prevResult.ips ?? []), ...ips],
    routes: [
      ...(prevResult.routes ?? []),
      ...routes.map(({ destination, gateway }) => ({
        dst: destination,
        ...(gateway !== null && { gw: gateway }),
      })),
    ],
    dns: dnsOf(configuration, networks),
  };
}

/** Addresses that an earlier result says the interface has. */
export function addressesIn({ interfaces = [], ips = [] }: CniResult, inside: string): string[] {
  const index = interfaces.findIndex(({ name, sandbox = '' }) => name === inside && sandbox !== '');
  return ips.flatMap((ip) => (ip.interface === index ? [ip.address] : []));
}

/** What the runtime says, else the network's configuration, else weft's own. */
function dnsOf({ dns, runtimeConfig }: Configuration, networks: Pick<PlatformNetworks, 'dns'>): Dns {
  const said = Object.fromEntries(
    Object.entries(runtimeConfig?.dns ?? {}).map(([key, texts]) => [key.toLowerCase(), texts ?? []]),
  );
  const { servers = [], searches = [], options = [] } = said;
  if (servers.length + searches.length + options.length > 0) {
    return { nameservers: servers, search: searches, options };
  }
  if (dns !== undefined) return dns;
  if (networks.dns === null) return {};
  const { server, domain } = networks.dns;
  return { nameservers: [server], domain, search: [domain] };
}

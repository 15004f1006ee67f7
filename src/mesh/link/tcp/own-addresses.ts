import ipaddr from 'ipaddr.js';
import { type HostPort, localAddresses } from '../../../net/index.js';

/** What is true for the places where this router itself listens on `port`, on all addresses that this host has right now or on `host` only. */
export function ownAddresses(port: number, host?: string): (place: HostPort) => boolean {
  const own = new Set(host === undefined ? localAddresses() : [host]);
  return (place) =>
    place.port === port && (own.has(place.host) || (host === undefined && isLoopback(place.host)));
}

function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}

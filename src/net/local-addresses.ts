import { networkInterfaces } from 'node:os';

/** All IP addresses that this host has right now, those of its loopback and of segments included. */
export function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
}

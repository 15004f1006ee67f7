import type { InspectedInterface } from '../../hostnet/index.js';
import type { Entry } from './table/index.js';

/** What is not with a container's interface as it was attached, in words. */
export function flawsOf(entry: Entry, mtu: number, found: InspectedInterface | undefined): string[] {
  const { interface: inside, mac, addresses, routes = [] } = entry;
  if (found === undefined) return [`the interface ${inside} is gone`];
  const lost = addresses.filter((address) => !found.addresses.includes(address));
  const cut = routes.filter(({ destination }) => !found.destinations.includes(destination));
  return [
    ...(found.isUp ? [] : [`the interface ${inside} is down`]),
    ...(found.mac === mac ? [] : [`the interface ${inside} has the MAC ${found.mac}, not ${mac}`]),
    ...(found.mtu === mtu ? [] : [`the interface ${inside} has the MTU ${found.mtu}, not ${mtu}`]),
    ...lost.map((address) => `the interface ${inside} does not have the address ${address}`),
    ...cut.map(({ destination }) => `there is no route to ${destination}`),
  ];
}

/** How other hosts reach this one, and how it reaches them: addresses, routes, and the MTU that fits them. */
export { hostAddresses, ipv4Routes } from './addresses.js';
export { checkMtu, chooseMtu, MAX_MTU, MIN_MTU, superframe } from './mtu.js';
export { type UnderlayAddress, underlayAddresses } from './underlay.js';
export { sourcesTo, type Way, waysTo } from './ways.js';

/** Places on the network, as people and sockets write them; and sockets of this host that its user alone may open. */
export {
  DEFAULT_PORT,
  DEFAULT_STATUS_ADDRESS,
  formatHostPort,
  type HostPort,
  ipHostPort,
  isDialable,
  isLoopback,
  isReachable,
  parseAdvertised,
  parseHostPort,
  parseStatusAddress,
  parseTarget,
} from './address.js';
export { listenPrivately } from './listen-privately.js';
export { localAddresses } from './local-addresses.js';
export { isIpv6, withoutLength } from './prefix.js';
export { resolveHostPort } from './resolve-host-port.js';

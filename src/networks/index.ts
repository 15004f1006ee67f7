/** Isolated Ethernet segments by name, as all routers know them. docs/protocol.md, "Networks". */
export {
  DEFAULT_NETWORK,
  type KnownNetwork,
  type NetworkClaim,
  numberOf,
  type ResolvedNetworks,
  resolveNetworks,
} from './directory.js';
export { checkNetworkName, checkNetworkRecord, parseSubnets } from './names.js';
export { type NetworkRecord, type NetworkState, networkRecord } from './record.js';

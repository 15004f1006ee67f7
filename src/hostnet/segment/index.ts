/** An Ethernet segment on this host: the bridge, the ports of containers, of the name server, and the host itself on it. */
export {
  type AttachedInterface,
  type AttachOptions,
  addRoutes,
  attach,
  CONTAINER_ROUTES,
  type ContainerRoute,
  checkInterfaceName,
  DEFAULT_INTERFACE,
  interfaceMac,
  randomMac,
  removeAddresses,
  setInterfaceMac,
} from './attachment.js';
export {
  type BridgeOptions,
  bridgeFlaw,
  bridgesOf,
  checkBridgeName,
  DEFAULT_BRIDGE,
  ensureBridge,
  forwarderMacOf,
  type HostEnd,
  hostEnds,
  macOf,
  networkBridge,
  plugTap,
  removeBridge,
  removeInterfaces,
  removeLink,
  setHairpin,
  tapName,
  vxlanName,
} from './bridge.js';
export {
  addressesOn,
  exposeAddresses,
  hasRoute,
  hideAddresses,
  restoreRoute,
  subnetOf,
} from './exposure.js';
export { checkHostAddress } from './host-address.js';
export { HOST_ENDS, hostEnd, plugPort } from './host-end.js';
export { type InspectedInterface, inspectInterface } from './inspection.js';
export { linkLocalOf } from './link-local.js';
export {
  ensureLoosePair,
  interfaceWithMac,
  type LoosePair,
  loosePair,
} from './loose-pair.js';
export { macOfAddress, parseMac } from './mac.js';
export {
  closeResolver,
  openResolver,
  plugResolver,
  RESOLVER_ADDRESS,
  RESOLVER_ADDRESS6,
  RESOLVER_MAC,
  type ResolverOptions,
  type ResolverSockets,
  resolverPort,
  resolverRoutes,
} from './resolver-port.js';

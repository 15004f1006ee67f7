/** Linux plumbing: the bridge and its TAP, containers' interfaces, MTU, addresses. Nothing else in weft runs a command. */
export { hostAddresses, ipv4Routes } from './addresses.js';
export {
  type AttachedInterface,
  type AttachOptions,
  attach,
  checkInterfaceName,
  DEFAULT_INTERFACE,
  detach,
  hostEnd,
  interfaceMac,
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
  type HostEnd,
  hostEnds,
  networkBridge,
  plugTap,
  removeBridge,
  removeInterfaces,
  removeLink,
  setHairpin,
  tapName,
} from './bridge.js';
export { type Cidr, isInSubnets, parseCidr, parseSubnet } from './cidr.js';
export { packageOf } from './command.js';
export {
  addressesOn,
  exposeAddresses,
  hasRoute,
  hideAddresses,
  linkLocalOf,
  restoreRoute,
  subnetOf,
} from './exposure.js';
export {
  type ExposedSubnet,
  Firewall,
  forwardingFlaws,
  forwardPackets,
  type HairpinPort,
  type Passage,
} from './firewall.js';
export { checkHostAddress } from './host-address.js';
export {
  type Capability,
  kernelVersion,
  missingCapabilities,
  missingCommands,
  tunFault,
} from './host-facts.js';
export { interfaceNames } from './interface-names.js';
export { forwardingPorts } from './ip.js';
export { type LinkState, type LinkStates, linkStates, portFlaw } from './link-states.js';
export { parseMac } from './mac.js';
export { checkMtu, chooseMtu, MAX_MTU, MIN_MTU } from './mtu.js';
export { bootId, canonicalTarget, type Namespace, namespaceInode, resolveNamespace } from './namespace.js';
export { chainsThatDrop, droppingChains, filteredFamilies } from './packet-filter.js';
export { type Holding, PortGuard, type Refusal } from './port-guard.js';
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
} from './resolver.js';
export { sysctl } from './sysctl.js';
export { type UnderlayAddress, underlayAddresses } from './underlay.js';
export { type Way, waysTo } from './ways.js';

/** Linux plumbing: the bridge and its TAP, containers' interfaces, MTU, addresses. Nothing else in weft runs a command. */
export { hostAddresses } from './addresses.js';
export {
  type AttachedInterface,
  type AttachOptions,
  attach,
  checkInterfaceName,
  DEFAULT_INTERFACE,
  detach,
  inspect,
  removeAddresses,
} from './attachment.js';
export {
  type BridgeOptions,
  checkBridgeName,
  ensureBridge,
  interfaceExists,
  plugTap,
  removeBridge,
  tapName,
} from './bridge.js';
export { type Cidr, parseCidr } from './cidr.js';
export {
  type Capability,
  droppingForwardChains,
  kernelVersion,
  missingCapabilities,
  missingCommands,
  sysctl,
  tunFault,
} from './host-facts.js';
export { checkMtu, chooseMtu, MAX_MTU, MIN_MTU } from './mtu.js';
export { bootId, type Namespace, resolveNamespace } from './namespace.js';

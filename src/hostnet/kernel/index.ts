/** What every part of the plumbing asks the kernel with: commands, sysctls, links, namespaces, and whose an interface is. */
export { type Cidr, isInSubnets, parseCidr, parseSubnet } from './cidr.js';
export { CommandFailed, packageOf, run } from './command.js';
export {
  type Capability,
  kernelFault,
  kernelVersion,
  missingCapabilities,
  missingCommands,
  namespaceFault,
  tunFault,
} from './host-facts.js';
export { interfaceNames } from './interface-names.js';
export {
  forwardingPorts,
  ipBatch,
  ipSetUp,
  isAbsent,
  isPresent,
  type Link,
  link,
  links,
  type Route,
  routes,
  routesTo,
  setForwarding,
} from './ip.js';
export { type LinkState, type LinkStates, linkStates, portFlaw } from './link-states.js';
export { bootId, canonicalTarget, type Namespace, namespaceInode, resolveNamespace } from './namespace.js';
export {
  attachmentAlias,
  bridgeAlias,
  isAttachment,
  isAttachmentOf,
  isWeftAlias,
  isWeftLink,
  ownerOf,
} from './ownership.js';
export { setSysctl, sysctl, sysctlNow } from './sysctl.js';
export { type Traffic, traffic } from './traffic.js';

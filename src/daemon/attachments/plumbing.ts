import type * as hostnet from '../../hostnet/index.js';

/** What attaching containers takes of this host's kernel. */
export type AttachmentPlumbing = Pick<
  typeof hostnet,
  | 'addRoutes'
  | 'attach'
  | 'bootId'
  | 'ensureLoosePair'
  | 'hostEnds'
  | 'inspectInterface'
  | 'interfaceMac'
  | 'interfaceNames'
  | 'interfaceWithMac'
  | 'plugPort'
  | 'removeAddresses'
  | 'removeLink'
  | 'resolveNamespace'
  | 'setInterfaceMac'
>;

import type * as hostnet from '../../hostnet/index.js';

/** What attaching containers takes of this host's kernel. */
export type AttachmentPlumbing = Pick<
  typeof hostnet,
  | 'attach'
  | 'bootId'
  | 'ensureLoosePair'
  | 'hostEnds'
  | 'interfaceMac'
  | 'interfaceNames'
  | 'interfaceWithMac'
  | 'plugPort'
  | 'removeAddresses'
  | 'removeLink'
  | 'setInterfaceMac'
>;

import type * as hostnet from '../../hostnet/index.js';

/** What attaching containers takes of this host's kernel. */
export type AttachmentPlumbing = Pick<
  typeof hostnet,
  | 'attach'
  | 'bootId'
  | 'detach'
  | 'hostEnds'
  | 'interfaceMac'
  | 'interfaceNames'
  | 'removeAddresses'
  | 'removeLink'
  | 'setInterfaceMac'
>;

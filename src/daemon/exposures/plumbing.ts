import type * as hostnet from '../../hostnet/index.js';

/** What the host's place on the networks takes of its kernel. */
export type ExposurePlumbing = Pick<
  typeof hostnet,
  | 'addressesOn'
  | 'exposeAddresses'
  | 'forwardingFlaws'
  | 'forwardPackets'
  | 'hasRoute'
  | 'hideAddresses'
  | 'restoreRoute'
>;

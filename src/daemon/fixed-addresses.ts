import { WeftError } from '../errors.js';
import type { AddressAllocator } from '../ipam/index.js';

/** Stands in for the address ring where there is none: every address is chosen by the user. */
export const fixedAddresses: AddressAllocator = {
  async allocate() {
    throw new WeftError('no-addresses', 'this router hands out no addresses: give one, such as 10.32.0.1/12');
  },
  async claim() {},
  async release() {},
  lookup: () => [],
};

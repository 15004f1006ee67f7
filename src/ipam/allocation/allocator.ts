/**
 * Addresses for containers, for whoever attaches them. All addresses are canonical text with the prefix
 * length of their subnet, such as `10.32.0.1/12`. An `owner` identifies the container: the same text is given
 * the same addresses, also after a restart of the router.
 *
 * Each promise resolves once the outcome is on the disk.
 */
export interface AddressAllocator {
  /**
   * Gives one IPv4 address of the subnet (by default of the default subnet) and, where IPv6 is on, the IPv6
   * address that goes with it. An owner that has an address of that subnet gets the same one again. Waits
   * while other routers are asked for addresses, until `signal` ends the wait.
   *
   * Rejects with `bad-subnet` (not within the range), `no-space` (the subnet is used up), `no-addresses`
   * (this router may not hand out any now: the message says why and what helps), `disk-full` or `cancelled`.
   */
  allocate(owner: string, subnet?: string, signal?: AbortSignal): Promise<readonly string[]>;
  /**
   * Gives one more address of the subnet, of its family alone: of an IPv6 subnet that goes with an IPv4 one
   * of the range an IPv6 address. Rejects as `allocate` does.
   */
  allocateOne(owner: string, subnet: string, signal?: AbortSignal): Promise<string>;
  /**
   * Notes that the owner has this address, which the user chose. An address outside the range belongs to no
   * router and is not noted. Rejects with `address-used` (the message names the owner here, or the router
   * that owns the address), `no-addresses`, `disk-full` or `cancelled`.
   */
  claim(owner: string, address: string, signal?: AbortSignal): Promise<void>;
  /**
   * Frees these addresses of the owner, or all of them. Addresses that the owner does not have are skipped.
   */
  release(owner: string, addresses?: readonly string[]): Promise<void>;
  /**
   * Those of the addresses that are in the subnet (by default the default subnet), or go with one that is.
   * Throws `bad-subnet`.
   */
  within(addresses: readonly string[], subnet?: string): readonly string[];
  /** The addresses of the range that the owner has. */
  lookup(owner: string): readonly string[];
}

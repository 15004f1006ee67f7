/**
 * Addresses for containers, as whoever attaches them asks for them. All addresses are canonical text with the length of their
 * subnet, such as `10.32.0.1/12`. An `owner` is whatever stands for the container: the same text gives the same addresses,
 * also after a restart of the router.
 *
 * Each promise resolves when the outcome is on the disk.
 */
export interface AddressAllocator {
  /**
   * One IPv4 address of the subnet (default: the default subnet), and behind it the IPv6 address that goes with it where IPv6
   * is on. An owner that has an address of that subnet gets the same again. Waits while space is asked for from other routers,
   * until `signal` ends it.
   *
   * Rejects with `bad-subnet` (not inside the range), `no-space` (the subnet is used up), `no-addresses` (this router may not
   * hand out any now: the message says why and what helps), `disk-full` or `cancelled`.
   */
  allocate(owner: string, subnet?: string, signal?: AbortSignal): Promise<readonly string[]>;
  /**
   * Notes that the owner has this address, which somebody chose. One that is outside the range is nobody's to give and needs no
   * note. Rejects with `address-used` (its owner here or the router whose it is are named), `no-addresses`, `disk-full` or `cancelled`.
   */
  claim(owner: string, address: string, signal?: AbortSignal): Promise<void>;
  /** Frees these addresses of the owner, or all. What it does not have is skipped. */
  release(owner: string, addresses?: readonly string[]): Promise<void>;
  /** Which of these addresses are of the subnet (default: the default subnet), or go with one that is. Throws `bad-subnet`. */
  within(addresses: readonly string[], subnet?: string): readonly string[];
  /** What the owner has of the range. */
  lookup(owner: string): readonly string[];
}

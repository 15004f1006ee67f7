/** An address that may have a prefix length behind it, alone. */
export function withoutLength(address: string): string {
  return address.split('/', 1)[0] ?? address;
}

/** Whether an address or a subnet, as it is written, is one of IPv6. */
export function isIpv6(text: string): boolean {
  return text.includes(':');
}

import { checkHostAddress, parseCidr } from '../../hostnet/index.js';
import { parseSubnets } from '../../networks/index.js';

/** What a user asks for: one address, or any of a subnet (of the default subnet when null). */
export type AddressRequest =
  | { readonly kind: 'fixed'; readonly cidr: string }
  | { readonly kind: 'any'; readonly subnet: string | null };

/** Reads what somebody wants to have: an address that can be one's own, or any. Throws `bad-cidr` or `bad-subnet`. */
export function parseWantedAddress(text: string): AddressRequest {
  const request = parseAddressRequest(text);
  if (request.kind === 'fixed') checkHostAddress(parseCidr(request.cidr));
  return request;
}

/**
 * Reads `10.32.1.5/24` (also `ip:10.32.1.5/24`), `net:10.40.0.0/16` or `net:default`, in which Weave's users write addresses.
 * Throws `bad-cidr` or `bad-subnet`.
 */
export function parseAddressRequest(text: string): AddressRequest {
  if (text === 'net:default') return { kind: 'any', subnet: null };
  if (text.startsWith('net:')) {
    const [subnet = null] = parseSubnets([text.slice('net:'.length)]);
    return { kind: 'any', subnet };
  }
  return { kind: 'fixed', cidr: parseCidr(text.replace(/^ip:/, '')).text };
}

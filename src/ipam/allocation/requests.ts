import type { PeerId } from '../../identity/index.js';
import type { Span } from '../ring/index.js';

/** A request for an address for a container. */
export interface AddressRequest {
  readonly id: number;
  /** Identifies the container. */
  readonly owner: string;
  /** Any address of the span satisfies the request. */
  readonly span: Span;
  /** Prefix length of the subnet. */
  readonly length: number;
  /** The families that are wanted: `IPV4`, `IPV6` or both. */
  readonly families: number;
  /** Another one than the owner has there already. */
  readonly isMore?: boolean;
}

/** Something that this router wants and that may take a while. */
export type Request =
  | ({ readonly kind: 'allocate' } & AddressRequest)
  | ({ readonly kind: 'claim' } & AddressRequest)
  | { readonly kind: 'prime'; readonly id: number }
  | { readonly kind: 'remove'; readonly id: number; readonly peer: PeerId }
  | { readonly kind: 'leave'; readonly id: number };

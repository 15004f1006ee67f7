import type { PeerId } from '../../identity/index.js';
import type { Span } from '../ring/index.js';

export interface AddressRequest {
  readonly id: number;
  readonly owner: string;
  /** Any address of it will do. */
  readonly span: Span;
  /** Of the prefix of the subnet. */
  readonly length: number;
  /** Which addresses it stands for: of IPv4, IPv6 or both. */
  readonly families: number;
}

/** Something that the router wants and that may take a while. */
export type Request =
  | ({ readonly kind: 'allocate' } & AddressRequest)
  | ({ readonly kind: 'claim' } & AddressRequest)
  | { readonly kind: 'prime'; readonly id: number }
  | { readonly kind: 'remove'; readonly id: number; readonly peer: PeerId }
  | { readonly kind: 'leave'; readonly id: number };

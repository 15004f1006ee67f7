import type { NetworkSecret } from './network.js';

/** What a join token carries. */
export interface JoinToken {
  readonly secret: NetworkSecret;
  /** Where the issuing host listens: `host:port`, best first; may be empty. */
  readonly addresses: readonly string[];
}

/** The one-line text `weft1…`. Throws `bad-address`. */
export declare function encodeToken(token: JoinToken): string;
/** Throws `token-prefix`, `token-version`, `token-truncated`, `token-mistyped`. */
export declare function parseToken(text: string): JoinToken;

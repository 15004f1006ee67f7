import type { JoinToken } from './token.js';

declare const brand: unique symbol;

/** 32 random (or stretched) bytes that every member of the network has. */
export type NetworkSecret = Buffer & { readonly [brand]: 'NetworkSecret' };
export type NetworkMode = 'token' | 'password';

/** The network that this router belongs to. */
export interface Network {
  readonly mode: NetworkMode;
  /** Live secrets, newest first: we prove with the first and accept any of them. */
  readonly secrets: readonly [NetworkSecret, ...NetworkSecret[]];
  /** 16 hexadecimal digits, of the newest secret. */
  readonly id: string;
  /** ISO 8601. */
  readonly created: string;
}

/** A new network with a random secret. */
export declare function newNetwork(): Network;
/** The network of everybody who uses this password (Argon2id, off the event loop). Throws `bad-password`. */
export declare function networkFromPassword(password: string): Promise<Network>;
/** The network that a token joins. */
export declare function networkFromToken(token: JoinToken): Network;
/** Reads `<stateDir>/network.json`; undefined when there is none. Rejects with `network-file-corrupt`, `file-not-private`. */
export declare function loadNetwork(stateDir: string): Promise<Network | undefined>;
/** Writes `<stateDir>/network.json` (0600, fsync). */
export declare function saveNetwork(stateDir: string, network: Network): Promise<void>;
/** The key of link proofs, from a secret. */
export declare function proofKeyOf(secret: NetworkSecret): Buffer;

import { WeftError } from '../../errors.js';
import { isEndpoint } from '../membership/index.js';

/** What is said when a host was copied with its identity: two routers that are one to the others. The copy must get its own. */

const REMEDY = 'one host was copied from the other; give one its own identity with weft reset';

/** Tells a router where a copy of it was seen. */
export const CLONED_CHANNEL = 'cloned';

export function encodeSighting(address: string): Buffer {
  return Buffer.from(address);
}

/** Where a copy of ours was seen, as another router tells. */
export function decodeSighting(bytes: Buffer): string {
  const address = bytes.toString('latin1');
  return isEndpoint(address) ? address : 'an unknown address';
}

/** This host is the copy: the router that was there first says so when it ends a link. */
export const COPIED = {
  code: 'identity-cloned',
  message:
    'another router with our identity is in the network: this host was copied from it; give this host its own identity with weft reset',
};

/** Somebody at this address has our identity. */
export function clonedAt(address: string): WeftError {
  return new WeftError('identity-cloned', `the router at ${address} has our identity: ${REMEDY}`);
}

/** Two others have one identity. */
export function clonedPeer(peer: string, one: string, other: string): WeftError {
  return new WeftError(
    'identity-cloned',
    `two routers have the identity ${peer} (at ${one} and ${other}): ${REMEDY}`,
  );
}

/** Somebody says more of us than we do, wherever it is. */
export function clonedSomewhere(): WeftError {
  return new WeftError('identity-cloned', `another router gossips as if it were this one: ${REMEDY}`);
}

import { type Identity, identityFromSeed, parsePublicKey } from '../../../../src/identity/index.js';
import { Election, type ElectorOptions } from '../../../../src/ipam/election/election.js';
import type { Signer } from '../../../../src/ipam/election/wire.js';

/** An identity that is determined by the index. */
export function identity(index: number): Identity {
  return identityFromSeed(Buffer.alloc(32, index + 1));
}

/** A signer that costs next to nothing: a signature tells the signer, not what was signed. */
export function cheapSigner(index: number): Signer {
  const publicKey = parsePublicKey(Buffer.from((index + 1).toString(16).padStart(64, '0'), 'hex'));
  const signatureOf = (key: Uint8Array) => Buffer.concat([key, key]);
  return {
    publicKey,
    sign: () => signatureOf(publicKey),
    verify: (_message, signature, key) => signatureOf(key).equals(signature),
  };
}

/** An elector whose incarnation is its index, so that lower indices are senior. */
export function newElector(index: number, electors: number, options: Partial<ElectorOptions> = {}): Election {
  return new Election({ signer: cheapSigner(index), elector: { electors, incarnation: index, ...options } });
}

export function newObserver(): Election {
  return new Election({ signer: cheapSigner(99) });
}

/** Does the caller's part: stores what is unsaved at once. */
export function save(election: Election): void {
  const state = election.unsaved;
  if (state !== null) election.saved(state);
}

/** Exchanges digests as the mesh does it, and returns what was sent. */
export function repair(a: Election, b: Election): Uint8Array[] {
  const sent: Uint8Array[] = [];
  let [to, from] = [a, b];
  let digest: Uint8Array | null = from.digest();
  while (digest !== null) {
    const deltas = to.answer(digest);
    for (const delta of deltas) from.merge(delta);
    sent.push(...deltas);
    digest = to.refine(digest);
    [to, from] = [from, to];
  }
  return sent;
}

/** All electors store, then exchange digests with all others, until none has anything new. */
export function settle(...all: readonly Election[]): void {
  let sent: number;
  do {
    sent = 0;
    for (const election of all) save(election);
    for (const [index, a] of all.entries()) for (const b of all.slice(index + 1)) sent += repair(a, b).length;
  } while (sent > 0 || all.some(({ unsaved }) => unsaved !== null));
}

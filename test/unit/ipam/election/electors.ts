import { type Identity, identityFromSeed, parsePublicKey } from '../../../../src/identity/index.js';
import { Election, type ElectorOptions } from '../../../../src/ipam/election/election.js';
import type { Seal } from '../../../../src/ipam/election/wire.js';

/** Key pairs that are always the same. */
export function identity(index: number): Identity {
  return identityFromSeed(Buffer.alloc(32, index + 1));
}

/** A seal that costs next to nothing: a signature tells the signer, not what was signed. */
export function cheapSeal(index: number): Seal {
  const publicKey = parsePublicKey(Buffer.from((index + 1).toString(16).padStart(64, '0'), 'hex'));
  const signatureOf = (key: Uint8Array) => Buffer.concat([key, key]);
  return {
    publicKey,
    sign: () => signatureOf(publicKey),
    verify: (_message, signature, key) => signatureOf(key).equals(signature),
  };
}

/** Begins at `index`, so that electors are senior in the order of their indices. */
export function newElector(index: number, electors: number, options: Partial<ElectorOptions> = {}): Election {
  return new Election({ seal: cheapSeal(index), elector: { electors, incarnation: index, ...options } });
}

export function newObserver(): Election {
  return new Election({ seal: cheapSeal(99) });
}

/** The caller's part: what is unsaved is stored at once. */
export function save(election: Election): void {
  const state = election.unsaved;
  if (state !== null) election.saved(state);
}

/** An exchange of digests, as the mesh does it; gives back what was sent. */
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

/** Everybody stores, then talks with everybody, until nobody has anything to tell. */
export function settle(...all: readonly Election[]): void {
  let sent: number;
  do {
    sent = 0;
    for (const election of all) save(election);
    for (const [index, a] of all.entries()) for (const b of all.slice(index + 1)) sent += repair(a, b).length;
  } while (sent > 0 || all.some(({ unsaved }) => unsaved !== null));
}

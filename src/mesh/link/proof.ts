import sodium from 'sodium-native';
import { blake2b } from '../../identity/index.js';

/** Which side of the Noise handshake a proof comes from; it is part of the proof, so that none can be reflected. */
export type ProofRole = 'initiator' | 'responder';

export const PROOF_BYTES = 32;

/** Proof of a network secret, bound to one handshake and one side of it. */
export function linkProof(proofKey: Uint8Array, role: ProofRole, handshakeHash: Uint8Array): Buffer {
  return blake2b(PROOF_BYTES, [Buffer.from(`weft link ${role} v1`), handshakeHash], proofKey);
}

/** The first of our proof keys that one of the proofs was made with, in constant time per comparison; undefined if none. */
export function matchProof(
  proofKeys: readonly Uint8Array[],
  role: ProofRole,
  handshakeHash: Uint8Array,
  proofs: readonly Uint8Array[],
): Uint8Array | undefined {
  return proofKeys.find((key) => {
    const expected = linkProof(key, role, handshakeHash);
    return proofs.some((proof) => proof.length === PROOF_BYTES && sodium.sodium_memcmp(expected, proof));
  });
}

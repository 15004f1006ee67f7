import sodium from 'sodium-native';
import { blake2b } from '../../identity/index.js';

/** The side of the Noise handshake that makes a proof. It is part of the proof, so that no proof can be reflected. */
export type ProofRole = 'initiator' | 'responder';

export const PROOF_BYTES = 32;

/** Proves a network secret; the proof is bound to one handshake and one side of it. */
export function linkProof(proofKey: Uint8Array, role: ProofRole, handshakeHash: Uint8Array): Buffer {
  return blake2b(PROOF_BYTES, [Buffer.from(`weft link ${role} v1`), handshakeHash], proofKey);
}

/** The first of our proof keys with which one of the proofs was made; undefined if there is none. Each comparison takes constant time. */
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

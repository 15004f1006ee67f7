import { decodeExact, encode } from '../../codec.js';
import { WeftError } from '../../errors.js';
import { type PeerId, type PublicKey, samePublicKey } from '../../identity/index.js';
import { checkSignature, type MemberRecord, readRecord, type SignedRecord } from '../membership/index.js';
import {
  hello,
  LINK_VERSION,
  PROOF_ANSWER,
  PROOF_OFFER,
  PROOF_REFUSED,
  type ProofMessage,
  proofMessage,
} from './messages.js';
import { linkProof, matchProof, type ProofRole } from './proof.js';

/** Who is at the other end of a link, and what it said about this one. */
export interface RemoteEnd {
  readonly publicKey: PublicKey;
  readonly peer: PeerId;
  readonly instance: Buffer;
  /** `address:port` of this end of the link as the other end sees it. */
  readonly observed: string;
  readonly record: MemberRecord;
}

/**
 * Proves the network secret to the other end, and has it proven by the other end (docs/protocol.md 3.3). It follows the Noise handshake,
 * which proved only that the other end has the private key of the public key that it showed.
 */
export class SecretProof {
  readonly #outbound: boolean;
  readonly #proofKeys: readonly Uint8Array[];
  readonly #handshakeHash: Uint8Array;
  readonly #write: (frame: Uint8Array) => void;

  /**
   * `outbound`: this end dialled and is the initiator. `proofKeys`: of the live secrets, newest first. `write` sends a frame to the other
   * end.
   */
  constructor(
    outbound: boolean,
    proofKeys: readonly Uint8Array[],
    handshakeHash: Uint8Array,
    write: (frame: Uint8Array) => void,
  ) {
    this.#outbound = outbound;
    this.#proofKeys = proofKeys;
    this.#handshakeHash = handshakeHash;
    this.#write = write;
  }

  /** The initiator offers a proof of each of its secrets; the responder waits for that. */
  begin(): void {
    if (this.#outbound) this.#send(PROOF_OFFER, this.#proofKeys);
  }

  /**
   * Checks the proof of the other end, and answers it. True when the proven secret is one that is being replaced. Throws `wrong-secret`;
   * the other end has then been told, and the connection is to be closed.
   */
  receive(frame: Uint8Array): boolean {
    const message = readProof(frame);
    const expected = this.#outbound ? PROOF_ANSWER : PROOF_OFFER;
    const sender: ProofRole = this.#outbound ? 'responder' : 'initiator';
    const key =
      message?.kind === expected
        ? matchProof(this.#proofKeys, sender, this.#handshakeHash, message.proofs)
        : undefined;
    if (key === undefined) {
      if (!this.#outbound) this.#send(PROOF_REFUSED, []);
      throw wrongSecret(message?.kind === PROOF_REFUSED);
    }
    if (!this.#outbound) this.#send(PROOF_ANSWER, [key]);
    return key !== this.#proofKeys[0];
  }

  #send(kind: number, keys: readonly Uint8Array[]): void {
    const role: ProofRole = this.#outbound ? 'initiator' : 'responder';
    const proofs = keys.map((key) => linkProof(key, role, this.#handshakeHash));
    this.#write(encode(proofMessage, { kind, proofs }));
  }
}

/** This router's hello (3.4). `observed`: the address at which this end sees the other one. */
export function encodeHello(instance: Uint8Array, observed: string, self: SignedRecord): Buffer {
  return encode(hello, { version: LINK_VERSION, instance, observed, self });
}

/** Reads a hello. Throws `version-mismatch`, `bad-message`, `bad-signature`, or `bad-hello` when it is not of the holder of `remoteKey`. */
export function readHello(bytes: Uint8Array, remoteKey: Buffer | null): RemoteEnd {
  if (bytes[0] !== LINK_VERSION) {
    throw new WeftError(
      'version-mismatch',
      `the other side speaks version ${bytes[0]} of the link protocol, this router version ${LINK_VERSION}: use the same weft on both hosts`,
    );
  }
  const { instance, observed, self } = decodeExact(hello, bytes);
  const record = readRecord(self);
  checkSignature(record);
  const { publicKey } = record.content;
  if (remoteKey === null || !samePublicKey(publicKey, remoteKey)) {
    throw new WeftError(
      'bad-hello',
      'the link was refused: the other side introduced itself with the record of another router',
    );
  }
  return { publicKey, peer: record.peer, instance: Buffer.from(instance), observed, record };
}

function readProof(frame: Uint8Array): ProofMessage | undefined {
  try {
    return decodeExact(proofMessage, frame);
  } catch {
    return undefined;
  }
}

function wrongSecret(refusedByOther: boolean): WeftError {
  const who = refusedByOther
    ? 'the other side refused our network secret'
    : 'the other side does not know the network secret';
  return new WeftError(
    'wrong-secret',
    `${who}: the two hosts belong to different networks, or the secret was replaced while one was away: use the same token or password on both (\`weft token\` on a member shows the present one)`,
  );
}

import curve from 'noise-curve-ed';
import NoiseState from 'noise-handshake';
import { WeftError } from '../../errors.js';
import { blake2b, type Identity, type PublicKey, samePublicKey } from '../../identity/index.js';

/** The keys of one session, from this end's view: seal for what it sends, open for what it receives. */
export interface SessionKeys {
  readonly sealKey: Buffer;
  readonly openKey: Buffer;
  readonly hopSealKey: Buffer;
  readonly hopOpenKey: Buffer;
}

const LABEL = Buffer.from('weft session v1');
const AEAD_LABEL = Buffer.from('weft aead key v1');
const HOP_LABEL = Buffer.from('weft hop key v1');

/** One end of a Noise IK handshake between two members of a network (docs/protocol.md 4.2). */
class Agreement {
  protected readonly noise: NoiseState;

  /** `ephemeralSeed` is 32 random bytes. */
  constructor(
    initiator: boolean,
    identity: Identity,
    remote: PublicKey,
    proofKey: Uint8Array,
    ephemeralSeed: Uint8Array,
  ) {
    this.noise = new NoiseState('IK', initiator, identity, { curve });
    this.noise.e = curve.generateKeyPair(ephemeralSeed);
    const [first, second] = initiator ? [identity.publicKey, remote] : [remote, identity.publicKey];
    const prologue = Buffer.concat([LABEL, blake2b(32, [LABEL], proofKey), first, second]);
    this.noise.initialise(prologue, remote);
  }

  /** The keys that follow from a complete handshake, for a cipher. */
  keys(cipher: string): SessionKeys {
    const { tx, rx } = this.noise;
    if (tx === null || rx === null)
      throw new WeftError('session-incomplete', 'the key agreement is not complete');
    const name = Buffer.from(cipher);
    return {
      sealKey: blake2b(32, [AEAD_LABEL, name], tx),
      openKey: blake2b(32, [AEAD_LABEL, name], rx),
      hopSealKey: blake2b(16, [HOP_LABEL], tx),
      hopOpenKey: blake2b(16, [HOP_LABEL], rx),
    };
  }

  protected receive(message: Uint8Array): Buffer {
    try {
      // A copy, since noise-handshake wipes the ephemeral key in the message when it is done.
      return this.noise.recv(Buffer.from(message));
    } catch (error) {
      throw new WeftError(
        'session-not-genuine',
        'a key agreement message is not from who it says, or not for us',
        {
          cause: error,
        },
      );
    }
  }
}

export class Initiation extends Agreement {
  constructor(identity: Identity, remote: PublicKey, proofKey: Uint8Array, ephemeralSeed: Uint8Array) {
    super(true, identity, remote, proofKey, ephemeralSeed);
  }

  start(payload: Uint8Array): Buffer {
    return this.noise.send(payload);
  }

  /** The payload of the response. Throws `session-not-genuine`; this object is of no use then. */
  finish(message: Uint8Array): Buffer {
    return this.receive(message);
  }
}

export class Response extends Agreement {
  readonly payload: Buffer;

  /** Throws `session-not-genuine`. */
  constructor(
    identity: Identity,
    remote: PublicKey,
    proofKey: Uint8Array,
    ephemeralSeed: Uint8Array,
    message: Uint8Array,
  ) {
    super(false, identity, remote, proofKey, ephemeralSeed);
    this.payload = this.receive(message);
    if (this.noise.rs === null || !samePublicKey(this.noise.rs, remote)) {
      throw new WeftError(
        'session-not-genuine',
        'a key agreement message is from somebody else than it says',
      );
    }
  }

  finish(payload: Uint8Array): Buffer {
    return this.noise.send(payload);
  }
}

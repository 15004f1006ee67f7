import { WeftError } from '../../../errors.js';
import type { PeerId } from '../../../identity/index.js';
import { clonedAt } from '../../membership/index.js';
import type { Link } from '../link.js';
import { oldSecret } from '../link-errors.js';
import {
  BYE_CLONED,
  BYE_DUPLICATE,
  BYE_OLD_SECRET,
  BYE_REMOVED,
  BYE_REVOKED,
  BYE_STOPPING,
} from '../messages.js';

export interface LinkPolicyOptions {
  readonly self: PeerId;
  /** Random for each process. */
  readonly instance: Uint8Array;
  /** False for a peer that was expelled. */
  readonly isAdmitted: (peer: PeerId) => boolean;
  readonly isMember: (peer: PeerId) => boolean;
  readonly isLinked: (peer: PeerId) => boolean;
}

/** Why a link is closed, as this end reports it and as the other end is told. */
export interface Farewell {
  readonly bye: number;
  readonly error: WeftError;
}

/** Decides which of the links whose other ends proved the network secret are kept: who is welcome. */
export class LinkPolicy {
  readonly #options: LinkPolicyOptions;

  constructor(options: LinkPolicyOptions) {
    this.#options = options;
  }

  /** Why an established link is not to be kept; undefined when it is. `wanted`: the peer that was dialled, if it was a certain one. */
  refusal(link: Link, wanted: PeerId | undefined): Farewell | undefined {
    const { self, instance, isAdmitted, isMember, isLinked } = this.#options;
    const { peer, instance: remoteInstance } = link.remote;
    if (peer === self && remoteInstance.equals(instance)) {
      return { bye: BYE_STOPPING, error: new WeftError('self', 'the address leads back to this router') };
    }
    if (peer === self) return { bye: BYE_CLONED, error: clonedAt(link.remoteAddress) };
    if (!isAdmitted(peer)) return removal(true);
    if (link.oldSecret && !isMember(peer)) return { bye: BYE_OLD_SECRET, error: oldSecret() };
    const isOther = wanted !== undefined && wanted !== peer;
    if (isOther && isLinked(peer)) return { bye: BYE_DUPLICATE, error: otherPeer(link.remoteAddress, peer) };
    return undefined;
  }
}

/** Another router than the one that was dialled answers at an address. */
export function otherPeer(address: string, peer: PeerId): WeftError {
  return new WeftError('other-peer', `${address} is another router's address now (${peer})`);
}

/** Closes the link to a peer that was removed from the network or, with `expelled`, is not welcome any more. */
export function removal(expelled: boolean): Farewell {
  return expelled
    ? { bye: BYE_REVOKED, error: new WeftError('peer-revoked', 'the peer was expelled from the network') }
    : { bye: BYE_REMOVED, error: new WeftError('peer-removed', 'the peer was removed from the network') };
}

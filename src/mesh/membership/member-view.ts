import type { PeerId, PublicKey } from '../../identity/index.js';
import type { MemberRecord } from './record.js';
import type { CipherSpeed } from './types.js';

export interface MemberView {
  readonly peer: PeerId;
  readonly publicKey: PublicKey;
  readonly nickname: string;
  /** Of its weft. */
  readonly version: string;
  /** `address:port` for the data plane, as the peer announces them, best first. */
  readonly endpoints: readonly string[];
  /** Its TCP port for control links. */
  readonly port: number;
  /** The MTU of its containers on the overlay, in bytes. */
  readonly mtu: number;
  readonly features: readonly string[];
  readonly ciphers: readonly CipherSpeed[];
  /** It left the network. */
  readonly left: boolean;
  /** It was suspected to have failed, and did not refute that in time. */
  readonly down: boolean;
  /** The peers that it has links to, as it advertises; none in a large mesh. */
  readonly neighbours: readonly PeerId[];
  readonly incarnation: number;
  readonly sequence: number;
  readonly self: boolean;
  readonly linked: boolean;
}

/** What users see of a member: what its record says, without its links, and how this router stands to it. */
export function memberView(
  { peer, content }: MemberRecord,
  standing: Pick<MemberView, 'self' | 'linked' | 'down' | 'neighbours'>,
): MemberView {
  const { links: _, ...rest } = content;
  return { peer, ...rest, ...standing };
}

import type { PeerId, PublicKey } from '../../identity/index.js';
import type { MemberRecord } from './record.js';
import type { CipherSpeed } from './types.js';

export interface MemberView {
  readonly peer: PeerId;
  readonly publicKey: PublicKey;
  readonly nickname: string;
  /** `address:port` for the data plane, as the peer announces them, best first. */
  readonly endpoints: readonly string[];
  /** Its port for both TCP and UDP. */
  readonly port: number;
  /** Of its containers on the overlay, in bytes. */
  readonly mtu: number;
  readonly features: readonly string[];
  readonly ciphers: readonly CipherSpeed[];
  /** It said goodbye. */
  readonly left: boolean;
  /** It was not to be reached by anybody for a while. */
  readonly down: boolean;
  /** The peers that it has links to, as it tells; none in a large mesh. */
  readonly neighbours: readonly PeerId[];
  readonly incarnation: number;
  readonly sequence: number;
  readonly self: boolean;
  readonly linked: boolean;
}

/** What others see of a member: what it says of itself, but for the costs of its links, and how it stands to this router. */
export function memberView(
  { peer, content }: MemberRecord,
  standing: Pick<MemberView, 'self' | 'linked' | 'down' | 'neighbours'>,
): MemberView {
  const { links: _, ...rest } = content;
  return { peer, ...rest, ...standing };
}

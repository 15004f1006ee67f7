import type { PeerId } from '../../identity/index.js';

/** What a check needs of the router, at both ends. */
export interface CheckPorts {
  /** Of the containers of this host. */
  readonly mtu: number;
  /** False when the message cannot be sent. */
  readonly send: (peer: PeerId, bytes: Uint8Array) => boolean;
  /** Whether a probe to the peer is answered within a second; with `mtu` one as large as a full packet. */
  readonly probe: (peer: PeerId, mtu?: number) => Promise<boolean>;
  /** A record of some name of this host; undefined while it has none. */
  readonly sampleName: () => string | undefined;
  /** Whether the name that a record of the peer gives is answered here. Throws when it is none. */
  readonly answersName: (peer: PeerId, record: string) => boolean;
}

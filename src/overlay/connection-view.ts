import type { PeerId } from '../identity/index.js';
import type { DataPlanePeerState } from './data-plane.js';
import type { ConnectionView } from './types.js';

export interface ConnectionFacts {
  readonly id: PeerId;
  readonly nickname: string;
  readonly linked: boolean;
  /** UDP to this peer worked before. */
  readonly wasUp: boolean;
  /** The data plane answers. */
  readonly dataPlane: boolean;
  readonly state: DataPlanePeerState | undefined;
}

/** What `weft status connections` says about a peer. */
export function connectionView(facts: ConnectionFacts): ConnectionView {
  const { id, nickname, linked, state } = facts;
  const udp = udpState(facts);
  const reason = reasonOf(facts, udp);
  return {
    peer: id,
    nickname,
    link: linked ? 'up' : 'down',
    udp,
    via: state?.via ?? null,
    endpoint: state?.endpoint ?? null,
    rtt: state?.rtt ?? null,
    loss: state?.loss ?? null,
    pathMtu: state?.pathMtu ?? null,
    cipher: state?.keys.findLast((key) => key.sealing)?.cipher ?? null,
    sentBytes: state?.sentBytes ?? 0,
    receivedBytes: state?.receivedBytes ?? 0,
    sentPackets: state?.sentPackets ?? 0,
    receivedPackets: state?.receivedPackets ?? 0,
    ...(reason === undefined ? {} : { reason }),
  };
}

function udpState({ state, wasUp }: ConnectionFacts): ConnectionView['udp'] {
  if (state === undefined || state.keys.length === 0) return 'no-key';
  if (state.up) return 'up';
  return wasUp ? 'down' : 'waiting';
}

function reasonOf(
  { dataPlane, linked, state }: ConnectionFacts,
  udp: ConnectionView['udp'],
): string | undefined {
  if (udp === 'up') return undefined;
  if (!dataPlane) return 'the forwarder is not running';
  if (udp === 'no-key') {
    return linked ? 'no key is agreed yet' : 'no key is agreed: there is no control link to agree one over';
  }
  const tried = state?.candidates.join(', ') || 'nowhere';
  const what = udp === 'down' ? 'the peer stopped answering over UDP' : 'the peer does not answer over UDP';
  return `${what} (tried ${tried}): is the UDP port open in both directions?`;
}

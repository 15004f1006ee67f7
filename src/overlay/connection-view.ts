import type { PeerId } from '../identity/index.js';
import { type LostWays, lostWayRemedy, lostWayText, type Nat, natConflict } from './path/index.js';
import type { DataPlaneCandidate, DataPlanePeerState } from './port/index.js';
import type { ConnectionView, PathKind, UdpPorts } from './types.js';

/** What stands for the cipher where there is none. */
const PLAIN = 'plain';

export interface ConnectionFacts {
  readonly id: PeerId;
  readonly nickname: string;
  readonly linked: boolean;
  /** Control messages get there, over whatever links. */
  readonly reachable: boolean;
  /** Packets to this peer got through before. */
  readonly wasUp: boolean;
  /** The data plane answers. */
  readonly dataPlane: boolean;
  readonly state: DataPlanePeerState | undefined;
  readonly nats: { readonly ours: Nat; readonly theirs: Nat };
  /** Why there is no TCP connection for data, when one was wanted. */
  readonly tcp: string | undefined;
  /** This host's routes lead packets for the peer back into a segment. */
  readonly lostWays: LostWays | undefined;
  readonly nameOf: (peer: PeerId) => string;
}

/** What `weft status connections` says about a peer. */
export function connectionView(facts: ConnectionFacts): ConnectionView {
  const { id, nickname, linked, state } = facts;
  const udp = udpState(facts);
  const path = pathKind(state);
  const reason = reasonOf(facts, udp, path);
  return {
    peer: id,
    nickname,
    link: linked ? 'up' : 'down',
    udp,
    path,
    via: state?.via ?? null,
    viaNickname: state?.via ? facts.nameOf(state.via) : null,
    endpoint: state?.endpoint ?? null,
    rtt: state?.rtt ?? null,
    loss: state?.loss ?? null,
    pathMtu: state?.pathMtu ?? null,
    udpPorts: state === undefined || path === 'none' ? null : udpPorts(state, path),
    cipher: state?.plain ? PLAIN : (state?.keys.findLast((key) => key.sealing)?.cipher ?? null),
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

function pathKind(state: DataPlanePeerState | undefined): PathKind {
  if (state === undefined || !state.up) return 'none';
  if (state.via !== null) return 'relay';
  return state.transport === 'tcp' ? 'tcp' : 'direct';
}

function udpPorts({ sourcePorts: { used, of, probed } }: DataPlanePeerState, path: PathKind): UdpPorts {
  if (used === of) return { used, of };
  const why = probed
    ? 'no answer to the others: a NAT or firewall refuses or changes source ports, or the peer has an older weft'
    : 'more when there is more traffic';
  return { used, of, reason: path === 'direct' ? why : 'more only straight over UDP' };
}

/** Why packets do not flow, or why they do not go straight over UDP; undefined when they do. */
function reasonOf(facts: ConnectionFacts, udp: ConnectionView['udp'], path: PathKind): string | undefined {
  const { dataPlane, reachable, state, lostWays } = facts;
  if (path === 'direct') return undefined;
  if (!dataPlane) return 'the forwarder is not running';
  if (state === undefined || udp === 'no-key') {
    if (reachable) return 'no key is agreed yet';
    const why = 'there is no control link, here or over others, to agree one over';
    return `no key is agreed: ${lostWays === undefined ? why : `${lostWayText(lostWays)}; ${lostWayRemedy(lostWays)}`}`;
  }
  if (path === 'relay' && state.direct)
    return 'the relay is faster than the direct path, or that is on trial';
  const what = udp === 'down' ? 'the peer stopped answering over UDP' : 'no direct answer over UDP';
  const tcp = path === 'tcp' || facts.tcp === undefined ? '' : `; over TCP: ${facts.tcp}`;
  return `${what} (${tried(state.candidates)}); ${remedyFor(facts)}${tcp}`;
}

/** What may be in the way of UDP, and what to do about it. */
function remedyFor({ nats, lostWays }: ConnectionFacts): string {
  const conflict = natConflict(nats.ours, nats.theirs);
  const other =
    conflict === undefined ? 'is the UDP port open in both directions?' : `${conflict}: ${FORWARD}`;
  if (lostWays === undefined) return other;
  const lost = `${lostWayText(lostWays)}: ${lostWayRemedy(lostWays)}`;
  return lostWays.others ? `${lost}; as for the other addresses: ${other}` : lost;
}

const FORWARD = 'forward the UDP port to one of them and name it with --advertise';

function tried(candidates: readonly DataPlaneCandidate[]): string {
  if (candidates.length === 0) return 'no address of it is known';
  const each = candidates.map(({ endpoint, probes, answers }) =>
    answers === 0 ? `${endpoint} ${times(probes)}` : `${endpoint} ${times(probes)}, ${answers} answered`,
  );
  return `tried ${each.join('; ')}`;
}

const times = (count: number) => (count === 1 ? 'once' : `${count} times`);

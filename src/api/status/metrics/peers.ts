import type { Connection } from '../../schemas.js';
import type { Observation } from '../observation.js';
import { isPeer, pathOf } from '../peer-path.js';
import { type Family, gauge, type Sample } from './family.js';

/** With more peers there is no series for each: N routers with N peers each are more than one Prometheus should keep. */
export const PEER_SERIES_LIMIT = 200;

const LABELS = ['peer', 'nickname'];

/** A series for each peer that takes part: it is gone as soon as the peer is. */
export const PEERS: readonly Family[] = [
  gauge(
    'weft_peer_series_omitted',
    `Peers of which there are no series of their own, since there are more than ${PEER_SERIES_LIMIT}.`,
    (seen) => {
      const count = seen.peers.filter(isPeer).length;
      return count > PEER_SERIES_LIMIT ? count : 0;
    },
  ),
  {
    name: 'weft_peer_path',
    type: 'gauge',
    help: 'Always 1: the way packets take to the peer now.',
    labels: [...LABELS, 'path'],
    samples: (seen) =>
      shown(seen).map((connection) => ({
        value: 1,
        labels: { ...labels(connection), path: pathOf(connection) },
      })),
  },
  ofPeer('gauge', 'weft_peer_rtt_seconds', 'Round trip to the peer, smoothed.', ({ rtt }) =>
    rtt === null ? null : rtt / 1e6,
  ),
  ofPeer(
    'gauge',
    'weft_peer_loss_ratio',
    'Share of the last 64 probes that was lost, 0 to 1.',
    ({ loss }) => loss,
  ),
  ofPeer(
    'gauge',
    'weft_peer_path_mtu_bytes',
    'Largest packet that was proven on the path, with IP and UDP headers.',
    ({ pathMtu }) => pathMtu,
  ),
  ofPeer(
    'gauge',
    'weft_peer_udp_ports',
    'UDP ports from which packets leave for the peer.',
    ({ udpPorts }) => udpPorts?.used ?? null,
  ),
  ofPeer(
    'counter',
    'weft_peer_sent_bytes_total',
    'Bytes of data sent to the peer.',
    (peer) => peer.sentBytes,
  ),
  ofPeer(
    'counter',
    'weft_peer_received_bytes_total',
    'Bytes of data received from the peer.',
    (peer) => peer.receivedBytes,
  ),
  ofPeer(
    'counter',
    'weft_peer_sent_packets_total',
    'Packets of data sent to the peer.',
    (peer) => peer.sentPackets,
  ),
  ofPeer(
    'counter',
    'weft_peer_received_packets_total',
    'Packets of data received from the peer.',
    (peer) => peer.receivedPackets,
  ),
];

function ofPeer(
  type: Family['type'],
  name: string,
  help: string,
  read: (connection: Connection) => number | null,
): Family {
  const sample = (connection: Connection): Sample[] => {
    const value = read(connection);
    return value === null ? [] : [{ value, labels: labels(connection) }];
  };
  return { name, type, help, labels: LABELS, samples: (seen) => shown(seen).flatMap(sample) };
}

/** The connections that have series; all of peers that take part. */
function shown({ peers, connections }: Observation): readonly Connection[] {
  const present = new Set(peers.filter(isPeer).map(({ peer }) => peer));
  return present.size > PEER_SERIES_LIMIT ? [] : connections.filter(({ peer }) => present.has(peer));
}

function labels({ peer, nickname }: Connection): { peer: string; nickname: string } {
  return { peer, nickname };
}

import type { Observation } from '../observation.js';
import { isPeer, PEER_PATHS, pathOf } from '../peer-path.js';
import { byLabel, type Family, gauge, type Sample } from './family.js';

const STATES = ['linked', 'known', 'down', 'left', 'revoked'] as const;

/** Who takes part, and how this router stands to them. */
export const MESH: readonly Family[] = [
  {
    name: 'weft_members',
    type: 'gauge',
    help: 'Other routers that this one knows of, by state.',
    labels: ['state'],
    samples: ({ peers }) =>
      byLabel(
        'state',
        tally(
          STATES,
          peers.map(({ state }) => state),
        ),
      ),
  },
  {
    name: 'weft_peers',
    type: 'gauge',
    help: 'Other routers that take part, by the way packets take to them now; their sum is the number of peers.',
    labels: ['path'],
    samples: peersByPath,
  },
  gauge('weft_links', 'Control links of this router.', ({ status }) => status.peers.linked),
  {
    name: 'weft_targets',
    type: 'gauge',
    help: 'Routers that this one was told to connect to.',
    labels: ['state'],
    samples: ({ status: { targets } }) =>
      byLabel('state', { connected: targets.connected, waiting: targets.total - targets.connected }),
  },
  {
    name: 'weft_mesh_errors_total',
    type: 'counter',
    help: 'What the daemon refused or saw fail on control links, by error code (docs/errors.md).',
    labels: ['code'],
    samples: ({ counters }) => byLabel('code', counters.mesh),
  },
  {
    name: 'weft_overlay_errors_total',
    type: 'counter',
    help: 'What failed about sessions and paths, by error code (docs/errors.md).',
    labels: ['code'],
    samples: ({ counters }) => byLabel('code', counters.overlay),
  },
];

function peersByPath({ peers, connections }: Observation): Sample[] {
  const found = new Map(connections.map((connection) => [connection.peer, connection]));
  return byLabel(
    'path',
    tally(
      PEER_PATHS,
      peers.filter(isPeer).map(({ peer }) => pathOf(found.get(peer))),
    ),
  );
}

/** How often each kind is there, also when it is not. */
function tally<K extends string>(kinds: readonly K[], found: readonly string[]): Record<K, number> {
  const counts = Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<K, number>;
  for (const kind of found) if (Object.hasOwn(counts, kind)) counts[kind as K] += 1;
  return counts;
}

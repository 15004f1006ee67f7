import { counter, type Family, gauge } from './family.js';
import { FORWARDER_COUNTERS } from './forwarder-counters.js';

const DROPPED = 'dropped_';

/** Frames that rules of this host's bridges refused, by what their sender claimed. */
const BRIDGE_COUNTERS: Readonly<Record<string, string>> = {
  refused_mac: 'frames of a container with a MAC that was given to another',
  refused_ipv4: 'ARP of a container for an IPv4 address that was given to another',
  refused_ipv6: 'neighbour discovery of a container for an IPv6 address that was given to another',
  refused_new: 'frames of a container with one new MAC too many',
};

const ALL = Object.entries(FORWARDER_COUNTERS);

/** Why frames and packets are dropped, and what that means. */
export const DROP_REASONS: Readonly<Record<string, string>> = Object.fromEntries(
  ALL.filter(([name]) => name.startsWith(DROPPED)).map(([name, meaning]) => [
    name.slice(DROPPED.length),
    meaning,
  ]),
);

/** The forwarder, of which nothing but `weft_forwarder_up` is told while it does not answer. */
export const FORWARDER: readonly Family[] = [
  gauge('weft_forwarder_up', 'Whether the forwarder answers: 1 or 0.', ({ counters }) =>
    counters.forwarder === null ? 0 : 1,
  ),
  counter(
    'weft_forwarder_restarts_total',
    'How often the forwarder was started again since the daemon started.',
    ({ status }) => status.forwarder.restarts,
  ),
  gauge('weft_forwarder_workers', 'Threads of the data plane.', ({ status }) => status.forwarder.workers),
  {
    name: 'weft_forwarder_dropped_total',
    type: 'counter',
    help: 'Frames and packets dropped, by reason.',
    labels: ['reason'],
    samples: ({ counters: { forwarder } }) =>
      forwarder === null
        ? []
        : Object.keys(DROP_REASONS).map((reason) => ({
            value: forwarder[DROPPED + reason] ?? 0,
            labels: { reason },
          })),
  },
  ...ALL.filter(([name]) => !name.startsWith(DROPPED)).map(([name, meaning]) =>
    counter(
      `weft_forwarder_${name}_total`,
      sentence(meaning),
      ({ counters: { forwarder } }) => forwarder && (forwarder[name] ?? 0),
    ),
  ),
  {
    name: 'weft_bridge_refused_total',
    type: 'counter',
    help: `What the rules of this host's bridges refused: ${Object.entries(BRIDGE_COUNTERS)
      .map(([name, meaning]) => `${kindOf(name)}: ${meaning}`)
      .join('; ')}.`,
    labels: ['kind'],
    samples: ({ counters: { bridges } }) =>
      Object.keys(BRIDGE_COUNTERS).map((name) => ({
        value: bridges[name] ?? 0,
        labels: { kind: kindOf(name) },
      })),
  },
];

function kindOf(name: string): string {
  return name.slice('refused_'.length);
}

function sentence(meaning: string): string {
  return `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}.`;
}

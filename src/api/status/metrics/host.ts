import { byLabel, counter, type Family, gauge } from './family.js';

/** What this host has on the networks, and what serves it: addresses, names, attachments, plugins. */
export const HOST: readonly Family[] = [
  gauge('weft_attachments', 'Interfaces of containers on this host.', ({ status }) => status.attachments),
  gauge(
    'weft_exposed_addresses',
    'Addresses that this host has on the networks.',
    ({ status }) => status.exposed.length,
  ),
  gauge(
    'weft_networks',
    'Networks that all routers know, with the default one.',
    ({ status }) => status.networks + 1,
  ),
  {
    name: 'weft_network_loops',
    type: 'gauge',
    help: 'Networks that have a loop now; muted: this host stopped carrying what goes to everybody.',
    labels: ['muted'],
    samples: ({ loops }) => {
      const muted = loops.filter((loop) => loop.muted).length;
      return byLabel('muted', { yes: muted, no: loops.length - muted });
    },
  },
  gauge(
    'weft_ipam_owned_addresses',
    'Addresses that this router may hand out, used or not.',
    ({ ipam }) => ipam.owned,
  ),
  gauge('weft_ipam_used_addresses', 'Addresses in use on this host.', ({ ipam }) => ipam.allocated),
  gauge('weft_ipam_free_addresses', 'Addresses that this router may hand out and nobody uses.', ({ ipam }) =>
    Math.max(0, ipam.owned - ipam.allocated),
  ),
  gauge(
    'weft_ipam_pending_addresses',
    'Addresses that are this router’s once others have confirmed that.',
    ({ ipam }) => ipam.pending,
  ),
  gauge('weft_ipam_mesh_addresses', 'Addresses that all routers own together.', ({ ipam }) =>
    ipam.owners.reduce((sum, { addresses }) => sum + addresses, 0),
  ),
  gauge(
    'weft_ipam_mesh_free_addresses',
    'Estimate of the free addresses of all routers that are reached: what this one can get, too.',
    ({ ipam }) => ipam.owners.reduce((sum, { free, reachable }) => sum + (reachable ? (free ?? 0) : 0), 0),
  ),
  {
    name: 'weft_ipam_requests',
    type: 'gauge',
    help: 'Requests for addresses of this host that wait.',
    labels: ['kind'],
    samples: ({ ipam }) => byLabel('kind', ipam.requests),
  },
  gauge('weft_dns_names', 'Names of containers on all hosts.', ({ dns }) => dns.names),
  gauge(
    'weft_dns_waiting_addresses',
    'Addresses at which names are not answered yet.',
    ({ dns }) => dns.waiting.length,
  ),
  counter(
    'weft_dns_queries_total',
    'Questions to the DNS server of this host.',
    ({ dns }) => dns.counters.queries,
  ),
  {
    name: 'weft_dns_answers_total',
    type: 'counter',
    help: "What became of questions: answered from weft's own names; forwarded to other servers, of which some left it unanswered; refused as malformed or for lack of room.",
    labels: ['how'],
    samples: ({ dns }) => {
      const { queries: _, ...how } = dns.counters;
      return byLabel('how', how);
    },
  },
  gauge('weft_docker_enabled', 'Whether this router is a network plugin of Docker: 1 or 0.', ({ docker }) =>
    docker.enabled ? 1 : 0,
  ),
  counter('weft_docker_requests_total', 'Requests of Docker to the plugin.', ({ docker }) => docker.requests),
  counter('weft_docker_failures_total', 'Those of them that failed.', ({ docker }) => docker.failures),
];

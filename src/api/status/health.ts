import type { Readiness } from '../schemas.js';
import type { Observation } from './observation.js';
import { isPeer, pathOf } from './peer-path.js';

/** What `/readyz`, the metric `weft_ready` and `weft wait --ready` say. */
export function readiness(seen: Observation): Readiness {
  const reasons = reasonsAgainst(seen);
  return { ready: reasons.length === 0, reasons, warnings: warningsOf(seen) };
}

function reasonsAgainst({ status, dns, ipam, faults }: Observation): string[] {
  const reasons = dns.waiting.map(({ address, reason }) => `DNS does not answer at ${address}: ${reason}`);
  if (!status.forwarder.connected) reasons.push('the forwarder is not running, it is being started again');
  const lack = lackOfAddresses(ipam);
  if (lack !== undefined) reasons.push(ipam.note === null ? lack : `${lack}: ${ipam.note}`);
  return [...reasons, ...faults];
}

/** Whoever owns no addresses asks those who do. */
function lackOfAddresses({ founders, owned, owners }: Observation['ipam']): string | undefined {
  if (founders.length === 0) return 'there is no address space yet';
  if (owned > 0 || owners.some(({ reachable, heir }) => reachable && heir === null)) return undefined;
  return 'no address can be given, since none is of this router and nobody who has some is reached';
}

/**
 * That no peer is reached makes nobody unready who has addresses: the others may be at fault, and containers of this host reach
 * each other. It is told, and alerts are made of it.
 */
function warningsOf({ peers, connections, ipam }: Observation): string[] {
  const warnings: string[] = [];
  const known = peers.filter(isPeer);
  const reached = connections.filter((connection) => pathOf(connection) !== 'none').length;
  if (known.length > 0 && reached === 0) warnings.push(`peers: 0 of ${known.length} reachable`);
  if (lackOfAddresses(ipam) === undefined && ipam.note !== null) warnings.push(ipam.note);
  return warnings;
}

import Type, { type Static } from 'typebox';
import type { Observation } from './observation.js';
import { isPeer, pathOf } from './peer-path.js';

/** Whether the router can do for the containers of this host what it is there for. */
export const Readiness = Type.Object({
  ready: Type.Boolean(),
  reasons: Type.Array(Type.String(), { description: 'why not' }),
  warnings: Type.Array(Type.String(), { description: 'what is wrong and makes nothing unready' }),
});
export type Readiness = Static<typeof Readiness>;

export function readiness(seen: Observation): Readiness {
  const reasons = reasonsAgainst(seen);
  return { ready: reasons.length === 0, reasons, warnings: warningsOf(seen) };
}

function reasonsAgainst({ status, dns, ipam }: Observation): string[] {
  const reasons = dns.waiting.map(({ address, reason }) => `DNS does not answer at ${address}: ${reason}`);
  if (!status.forwarder.connected) reasons.push('the forwarder is not running, it is being started again');
  if (ipam.founders.length === 0) {
    reasons.push(`there is no address space yet${ipam.note === null ? '' : `: ${ipam.note}`}`);
  }
  return [...reasons, ...status.faults];
}

/**
 * That no peer is reached makes nobody unready: the others may be at fault, and containers of this host reach each other. It is
 * told, and alerts are made of it.
 */
function warningsOf({ peers, connections, ipam }: Observation): string[] {
  const warnings: string[] = [];
  const known = peers.filter(isPeer);
  const reached = connections.filter((connection) => pathOf(connection) !== 'none').length;
  if (known.length > 0 && reached === 0) warnings.push(`peers: 0 of ${known.length} reachable`);
  if (ipam.founders.length > 0 && ipam.note !== null) warnings.push(ipam.note);
  return warnings;
}

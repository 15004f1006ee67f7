import { formatHostPort, ipHostPort, isReachable, parseHostPort } from '../../../net/index.js';

/** More than a peer has; the data plane probes them all. */
const MAX_CANDIDATES = 16;

export interface CandidateSources {
  /** `address:port` of the other end of the control link. */
  readonly linkAddress: string | undefined;
  /** Its port for control links, which is the data plane's too unless it says otherwise. */
  readonly port: number | undefined;
  /** As the peer's member record has them, best first. */
  readonly recordEndpoints: readonly string[];
  /** As the peer said in the last key agreement. */
  readonly sessionEndpoints: readonly string[];
}

/**
 * Where the data plane should try to reach a peer, best first: the address at which we talk to it over TCP already, then what it
 * says about itself, as much as there is room for; of these, IPv4 before IPv6, because its header is smaller and the containers' MTU counts on
 * that. What is not an IP address that means something on this host, and a port, is left out.
 */
export function candidatesOf(sources: CandidateSources): string[] {
  const { linkAddress, port, recordEndpoints, sessionEndpoints } = sources;
  const said = [...recordEndpoints, ...sessionEndpoints].flatMap((endpoint) => usable(endpoint));
  const ports = new Set([port, ...said.map((endpoint) => parseHostPort(endpoint).port)]);
  const linked = linkAddress === undefined ? [] : [...ports].flatMap((each) => canonical(linkAddress, each));
  const all = [...new Set([...linked.slice(0, 2), ...said])].slice(0, MAX_CANDIDATES);
  return all.sort((one, other) => headerRank(one) - headerRank(other));
}

/** What a peer says may be meant for another link, or to have us knock at places that are none of its business. */
function usable(endpoint: string): string[] {
  return canonical(endpoint).filter((each) => isReachable(parseHostPort(each).host));
}

function canonical(endpoint: string, port?: number): string[] {
  try {
    const address = parseHostPort(endpoint);
    return address.kind === 'name' ? [] : [formatHostPort(ipHostPort(address.host, port ?? address.port))];
  } catch {
    return [];
  }
}

const headerRank = (endpoint: string) => (endpoint.startsWith('[') ? 1 : 0);

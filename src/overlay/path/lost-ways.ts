/** Peers that cannot be reached because this host's own routes hand the tunnel's packets to the tunnel. */

/** Where this host's packets for an address go: to itself, into one of our segments, or out over another interface. */
export interface Way {
  readonly to: 'host' | 'segment' | 'out';
  readonly device: string;
}

/** The ways to the addresses of a peer. */
export interface LostWays {
  /** Addresses to which the way leads into a segment, and the interface of the first. */
  readonly lost: readonly string[];
  readonly device: string;
  /** There are addresses to which another way leads. */
  readonly others: boolean;
}

/** Undefined when no way to these addresses leads into a segment of ours. */
export function lostWays(addresses: readonly string[], ways: ReadonlyMap<string, Way>): LostWays | undefined {
  const lost = addresses.filter((address) => ways.get(address)?.to === 'segment');
  const [first] = lost;
  if (first === undefined) return undefined;
  return {
    lost,
    device: ways.get(first)?.device ?? '',
    others: addresses.some((address) => ways.get(address)?.to === 'out'),
  };
}

/** What is wrong. */
export function lostWayText({ lost, device }: LostWays): string {
  return `this host's route to ${lost.join(', ')} leads into weft's own bridge (${device}), where no other router is`;
}

/** What helps. */
export function lostWayRemedy({ lost: [first = ''] }: LostWays): string {
  return `give the other hosts a route of their own, over the interface that they are behind (\`ip route get ${first}\` shows the way)`;
}

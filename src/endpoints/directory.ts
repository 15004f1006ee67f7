import type { PeerId } from '../identity/index.js';
import type { Labels } from '../labels.js';
import { addressText, type EndpointKey, type EndpointRecord, endpointKey, parseKey } from './record.js';

/** A container's interface, and who has it. */
export interface Endpoint {
  readonly network: number;
  readonly mac: string;
  readonly addresses: readonly string[];
  readonly peer: PeerId;
  /** As its host says. */
  readonly labels: Labels;
}

/** Maximum number of addresses of which it is remembered where they were last. */
const REMEMBERED = 16_384;

/** Who wants to know what holds now. */
export interface EndpointSink {
  /** New, or with other addresses, or somewhere else. */
  endpoint(endpoint: Endpoint): void;
  endpointGone(network: number, mac: string): void;
  /** An address is known to be at another MAC than it was: neighbours remember the former one. */
  moved(network: number, mac: string, address: string): void;
  /** Which multicast groups are wanted at a peer; null: nobody knows, so all may be. */
  groups(peer: PeerId, network: number, groups: readonly string[] | null): void;
}

/**
 * What all routers published of their containers, put together: of each MAC the one place where it counts. Pure; who is alive is told
 * from outside, and what a dead router published does not count until it is back.
 */
export class EndpointDirectory {
  readonly #sink: EndpointSink;
  /** By key, then by owner. */
  readonly #records = new Map<string, Map<PeerId, EndpointRecord>>();
  readonly #keysOf = new Map<PeerId, Set<string>>();
  readonly #shown = new Map<string, Endpoint>();
  /** The MACs at which an address is announced, by network and address. */
  readonly #holders = new Map<string, Set<string>>();
  /** At which MAC an address was last, the one that changed longest ago first. */
  readonly #last = new Map<string, string>();
  readonly #dead = new Set<PeerId>();

  constructor(sink: EndpointSink) {
    this.#sink = sink;
  }

  /** A record of an owner is new or changed, or is gone. */
  put(owner: PeerId, key: string, record: EndpointRecord | undefined): void {
    const parsed = parseKey(key);
    if (parsed === undefined) return;
    const owners = this.#records.get(key) ?? new Map<PeerId, EndpointRecord>();
    if (record === undefined) owners.delete(owner);
    else owners.set(owner, record);
    if (owners.size === 0) this.#records.delete(key);
    else this.#records.set(key, owners);
    this.#note(owner, key, record !== undefined);
    this.#show(owner, key, parsed);
  }

  setAlive(owner: PeerId, alive: boolean): void {
    if (this.#dead.has(owner) === !alive) return;
    if (alive) this.#dead.delete(owner);
    else this.#dead.add(owner);
    for (const key of this.#keysOf.get(owner) ?? []) {
      const parsed = parseKey(key);
      if (parsed !== undefined) this.#show(owner, key, parsed);
    }
  }

  /** Who has a MAC. */
  find(network: number, mac: string): Endpoint | undefined {
    return this.#shown.get(endpointKey(network, mac));
  }

  /** Who has an address: several, while routers do not agree. */
  holders(network: number, address: string): Endpoint[] {
    const macs = this.#holders.get(`${network} ${address}`) ?? [];
    return [...macs].flatMap((mac) => this.find(network, mac) ?? []);
  }

  /** What to announce a MAC with that is ours now, so that it counts more than wherever it was before. */
  mobilityFor(self: PeerId, key: string): number {
    const owners = this.#records.get(key) ?? new Map<PeerId, EndpointRecord>();
    const others = [...owners].filter(([owner]) => owner !== self).map(([, { mobility }]) => mobility);
    return Math.max(owners.get(self)?.mobility ?? 0, ...others.map((mobility) => mobility + 1));
  }

  endpoints(): readonly Endpoint[] {
    return [...this.#shown.values()];
  }

  /** Tells the sink everything again. */
  replay(): void {
    for (const endpoint of this.#shown.values()) this.#sink.endpoint(endpoint);
    for (const [key, owners] of this.#records) {
      const parsed = parseKey(key);
      if (parsed?.mac !== undefined) continue;
      for (const owner of owners.keys()) if (parsed !== undefined) this.#showGroups(owner, key, parsed);
    }
  }

  #note(owner: PeerId, key: string, isThere: boolean): void {
    const keys = this.#keysOf.get(owner) ?? new Set<string>();
    if (isThere) keys.add(key);
    else keys.delete(key);
    if (keys.size === 0) this.#keysOf.delete(owner);
    else this.#keysOf.set(owner, keys);
  }

  #show(owner: PeerId, key: string, parsed: EndpointKey): void {
    if (parsed.mac === undefined) this.#showGroups(owner, key, parsed);
    else this.#showEndpoint(key, parsed.network, parsed.mac);
  }

  #showEndpoint(key: string, network: number, mac: string): void {
    const winner = this.#winner(key);
    const former = this.#shown.get(key);
    if (winner === undefined) {
      if (!this.#shown.delete(key)) return;
      this.#sink.endpointGone(network, mac);
      this.#settle(network, mac, former?.addresses ?? [], []);
      return;
    }
    const [peer, { addresses, labels }] = winner;
    const endpoint = { network, mac, addresses: addresses.map(addressText), peer, labels };
    this.#shown.set(key, endpoint);
    if (isSamePlace(former, endpoint)) return;
    this.#sink.endpoint(endpoint);
    this.#settle(network, mac, former?.addresses ?? [], endpoint.addresses);
  }

  /** Follows which addresses a MAC has now, and tells which of them have moved by that. */
  #settle(network: number, mac: string, before: readonly string[], now: readonly string[]): void {
    const held = new Set(now);
    for (const address of new Set([...before, ...now])) {
      const key = `${network} ${address}`;
      const macs = this.#holders.get(key) ?? new Set<string>();
      if (held.has(address)) macs.add(mac);
      else macs.delete(mac);
      if (macs.size === 0) this.#holders.delete(key);
      else this.#holders.set(key, macs);
      const [only] = macs;
      if (only !== undefined && macs.size === 1) this.#arrive(network, only, address);
    }
  }

  #arrive(network: number, mac: string, address: string): void {
    const key = `${network} ${address}`;
    const last = this.#last.get(key);
    if (last === mac) return;
    this.#last.delete(key);
    this.#last.set(key, mac);
    const [oldest] = this.#last.keys();
    if (this.#last.size > REMEMBERED && oldest !== undefined) this.#last.delete(oldest);
    if (last !== undefined) this.#sink.moved(network, mac, address);
  }

  #showGroups(owner: PeerId, key: string, { network }: EndpointKey): void {
    const record = this.#dead.has(owner) ? undefined : this.#records.get(key)?.get(owner);
    this.#sink.groups(owner, network, record?.addresses.map(addressText) ?? null);
  }

  #winner(key: string): [PeerId, EndpointRecord] | undefined {
    let winner: [PeerId, EndpointRecord] | undefined;
    for (const [owner, record] of this.#records.get(key) ?? []) {
      if (!this.#dead.has(owner) && (winner === undefined || precedes([owner, record], winner)))
        winner = [owner, record];
    }
    return winner;
  }
}

function precedes([a, first]: [PeerId, EndpointRecord], [b, second]: [PeerId, EndpointRecord]): boolean {
  return first.mobility === second.mobility ? a < b : first.mobility > second.mobility;
}

function isSamePlace(known: Endpoint | undefined, endpoint: Endpoint): boolean {
  return known?.peer === endpoint.peer && String(known.addresses) === String(endpoint.addresses);
}

import { createHash } from 'node:crypto';
import {
  addressInterval,
  contains,
  type Direction,
  type Interval,
  merged,
  type NetworkPolicy,
  type Peer,
  type PodPeer,
  type Port,
  type Rule,
} from '../objects/index.js';
import type { Pod } from './model.js';
import { type PodIndex, peerKey } from './pod-index.js';
import type { Allowance, Chain, Matcher, PortMatch, Socket } from './rule-set.js';

/** Makes the chains of a rule set, and the groups that these need. */
export class ChainMaker {
  readonly groups = new Map<string, ReadonlySet<string>>();
  readonly sockets = new Map<string, readonly Socket[]>();
  readonly chains = new Map<string, Chain>();
  readonly #index: PodIndex;
  readonly #pods: readonly Pod[];
  /** Two sources of policies may use one name. */
  readonly #numbers = new Map<NetworkPolicy, number>();
  /** Names of chains, by what they follow from. */
  readonly #made = new Map<string, string>();

  constructor(index: PodIndex, pods: readonly Pod[]) {
    this.#index = index;
    this.#pods = pods;
  }

  /** Name of the chain for a pod that these policies select, all of which are about the direction. */
  chainOf(pod: Pod, direction: Direction, policies: readonly NetworkPolicy[]): string {
    const ports = direction === 'ingress' ? pod.namedPorts : [];
    const key = JSON.stringify([
      direction,
      pod.network,
      policies.map((policy) => this.#numberOf(policy)),
      ports,
    ]);
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const allowances = distinct(
      policies.flatMap((policy) =>
        (policy.rules[direction] ?? []).flatMap((rule) => this.#allowances(rule, policy, direction, pod)),
      ),
    );
    const name = nameOf(`${direction} ${serialized(allowances)}`);
    this.chains.set(name, { direction, allowances });
    this.#made.set(key, name);
    return name;
  }

  #numberOf(policy: NetworkPolicy): number {
    const number = this.#numbers.get(policy) ?? this.#numbers.size;
    this.#numbers.set(policy, number);
    return number;
  }

  #allowances(
    { peers, ports }: Rule,
    policy: NetworkPolicy,
    direction: Direction,
    pod: Pod,
  ): readonly Allowance[] {
    const { network } = pod;
    const matchers = this.#matchers(peers, policy, network);
    const called = ports?.filter(isCalled) ?? [];
    const plain = ports?.filter((port) => !isCalled(port)).map(plainMatch);
    if (direction === 'ingress') {
      const all = plain && [...plain, ...called.flatMap((port) => portOf(pod, port))];
      return all?.length === 0 ? [] : matchers.map((match) => ({ kind: 'peers', peers: match, ports: all }));
    }
    const direct = plain?.length === 0 ? [] : matchers;
    return [
      ...direct.map((match): Allowance => ({ kind: 'peers', peers: match, ports: plain })),
      ...called.map((port) => this.#socketsOf(peers, policy, network, port)),
    ];
  }

  #matchers(
    peers: readonly Peer[] | undefined,
    { namespace }: NetworkPolicy,
    network: number,
  ): readonly Matcher[] {
    if (peers === undefined) return [{ kind: 'everybody' }];
    const intervals = merged(peers.flatMap((peer) => (peer.kind === 'block' ? peer.intervals : [])));
    const groups = peers.flatMap((peer): Matcher[] =>
      peer.kind === 'pods' ? [{ kind: 'group', group: this.#group(peer, namespace, network) }] : [],
    );
    return intervals.length === 0 ? groups : [...groups, { kind: 'blocks', intervals }];
  }

  #group(peer: PodPeer, home: string, network: number): string {
    const name = nameOf(`${network} ${peerKey(peer, home)}`);
    if (this.groups.has(name)) return name;
    const there = this.#index.ofPeer(peer, home).filter((pod) => pod.network === network);
    this.groups.set(name, new Set(there.flatMap(({ addresses }) => addresses)));
    return name;
  }

  /** What the peers call a port by this name: of each what itself means by it. */
  #socketsOf(
    peers: readonly Peer[] | undefined,
    { namespace }: NetworkPolicy,
    network: number,
    port: CalledPort,
  ): Allowance {
    const key = peers?.map((peer) => (peer.kind === 'pods' ? peerKey(peer, namespace) : peer.text));
    const name = nameOf(`${network} ${JSON.stringify([key, port])}`);
    if (!this.sockets.has(name)) {
      const found = this.#meant(peers, namespace).filter((pod) => pod.network === network);
      this.sockets.set(name, distinct(found.flatMap((pod) => socketsAt(pod, port))));
    }
    return { kind: 'sockets', sockets: name };
  }

  #meant(peers: readonly Peer[] | undefined, home: string): readonly Pod[] {
    if (peers === undefined) return this.#pods;
    return peers.flatMap((peer) =>
      peer.kind === 'pods' ? this.#index.ofPeer(peer, home) : this.#within(peer.intervals),
    );
  }

  /** Each with those of its addresses that are in the intervals. */
  #within(intervals: readonly Interval[]): Pod[] {
    return this.#pods.flatMap((pod) => {
      const addresses = pod.addresses.filter((address) =>
        intervals.some((interval) => contains(interval, addressInterval(address))),
      );
      return addresses.length === 0 ? [] : [{ ...pod, addresses }];
    });
  }
}

type CalledPort = Port & { readonly port: string };

function isCalled(port: Port): port is CalledPort {
  return typeof port.port === 'string';
}

function plainMatch({ protocol, port }: Port): PortMatch {
  return { protocol, range: typeof port === 'object' ? port : undefined };
}

function portOf({ namedPorts }: Pod, { protocol, port: name }: CalledPort): PortMatch[] {
  return namedPorts.flatMap((named) =>
    named.name === name && named.protocol === protocol
      ? [{ protocol, range: { first: named.port, last: named.port } }]
      : [],
  );
}

function socketsAt(pod: Pod, port: CalledPort): Socket[] {
  return portOf(pod, port).flatMap(({ protocol, range }) =>
    range === undefined ? [] : pod.addresses.map((address) => ({ address, protocol, port: range.first })),
  );
}

function distinct<T>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [serialized(item), item])).values()];
}

function serialized(value: unknown): string {
  return JSON.stringify(value, (_key, each) => (typeof each === 'bigint' ? each.toString() : each));
}

/** Twelve hexadecimal digits that stand for a text. */
function nameOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

import type { Labels } from '../../labels.js';

/**
 * What weft does for a platform of containers. A platform plugs in by this interface and nothing else: it translates what its engine asks into
 * these calls, and the rest of weft does not know that it exists. docs/plugins.md.
 */
export interface PlatformHost {
  readonly networks: PlatformNetworks;
  readonly addresses: PlatformAddresses;
  readonly endpoints: PlatformEndpoints;
}

/** What may be chosen when a network is made. */
export interface PlatformRange {
  /** All addresses that weft hands out, such as `10.32.0.0/12`. */
  readonly range: string;
  /** Where none is chosen. */
  readonly subnet: string;
  /** The IPv6 subnet that goes with it; null where IPv6 is off. */
  readonly subnet6: string | null;
}

/** Ethernet segments that all hosts know by name. */
export interface PlatformNetworks {
  /** Of every interface on any of them, in bytes. */
  readonly mtu: number;
  /** Where containers ask for names, on every network; null where this host serves none. */
  readonly dns: { readonly server: string; readonly domain: string } | null;
  readonly ranges: PlatformRange;
  /** Destinations on the link that a container is to have a route to, through the first of its interfaces only: those of multicast and of the DNS server. */
  readonly routes: readonly string[];
  /**
   * A network of this name with these subnets is there from now on. The network `default` always is, and takes none. Rejects with
   * `network-exists` where others know it with other subnets, `bad-network-name`, `bad-subnet` or `disk-full`.
   */
  ensure(name: string, subnets: readonly string[]): Promise<void>;
  /** It goes, unless somebody on any host is on it. */
  release(name: string): Promise<void>;
  /** Those of a network from which a container has an address each, unless it is told which. Throws `no-such-network`. */
  subnets(name: string): readonly string[];
  /**
   * The host's own addresses on a network, with prefix length; where it has none it is given some. Whoever routes through them gets out,
   * with the host's address. Rejects with `no-such-network`, and as `take` does.
   */
  gateways(name: string): Promise<readonly string[]>;
}

/**
 * Addresses of the ring for what a platform runs, whatever the network: none is given to two. Each promise resolves once the outcome is on the
 * disk, within 10 s.
 */
export interface PlatformAddresses {
  /**
   * Gives a free address of the subnet, with the subnet's prefix length. Rejects with `bad-subnet` (not within the range), `no-space`,
   * `no-addresses` (the message says which hosts are missing) or `disk-full`.
   */
  take(subnet: string): Promise<string>;
  /**
   * Nobody else is given this address from now on; of one outside the range nothing is known. Claiming what the platform holds changes
   * nothing. Rejects with `address-used` (the message says whose it is), `no-addresses` or `disk-full`.
   */
  claim(address: string): Promise<void>;
  /** It is free again. One that the platform does not hold is left alone. */
  release(address: string): Promise<void>;
  /** All that the platform holds, without prefix length. */
  held(): readonly string[];
  /** Why none can be given now, in words; null where nothing is known that is in the way. */
  obstacle(): string | null;
}

/** An interface that a platform asks for. */
export interface PlatformEndpoint {
  /** As the platform calls it; on this host no other has it. */
  readonly id: string;
  readonly network: string;
  /** With prefix length. They are the platform's to take and to give back. */
  readonly addresses: readonly string[];
  readonly mac: string;
  /** Id of the container that it is in, once that is known. */
  readonly container: string | null;
  /** It is there. */
  readonly present: boolean;
}

/** What is asked for: without a MAC, one that follows from its first address, so that whoever had that address had it, too. */
export type PlatformEndpointRequest = Omit<PlatformEndpoint, 'mac' | 'container' | 'present'> & {
  readonly mac?: string;
};

/** Where an interface goes that its platform does not move itself. */
export interface PlatformPlace {
  /** The container, as the platform calls it. */
  readonly container: string;
  /** Path of its network namespace. */
  readonly namespace: string;
  /** What the interface is called in there. */
  readonly interface: string;
  /** By which others find the container; null for one without a name. */
  readonly name: string | null;
  /** More names by which others find it on this network. */
  readonly aliases: readonly string[];
  /** What others are to know of it. */
  readonly labels: Labels;
  /** Ways that lead through the interface. Those to places to which the container has a way already are left out. */
  readonly routes: readonly PlatformRoute[];
}

export interface PlatformRoute {
  /** Such as `0.0.0.0/0`. */
  readonly destination: string;
  /** Null: on the link. */
  readonly gateway: string | null;
}

/** An interface that was put into its place. */
export interface PlacedEndpoint extends PlatformEndpoint {
  /** The host's end of it. */
  readonly port: string;
}

/** Whose endpoint it turned out to be. */
export interface PlatformContainer {
  /** As its engine calls it. */
  readonly id: string;
  /** Socket of the engine. */
  readonly engine: string;
  /** Of its first process. */
  readonly pid: number;
  readonly name: string;
  readonly hostname: string | null;
  /** More names by which others find it on this network. */
  readonly aliases: readonly string[];
  /** What others are to know of it. */
  readonly labels: Labels;
}

/**
 * Interfaces on the segments. They are made loose (`create`, `plug`, `bind`), or where they are to be (`attach`). What was asked for is kept on disk and over restarts of the router; while a container runs its interface is put back
 * when it is lost.
 */
export interface PlatformEndpoints {
  /**
   * Notes an endpoint. Rejects with `address-used` or `mac-used` when somebody on that network has it already, on any host,
   * `no-such-network`, `bad-mac`, `bad-cidr` or `disk-full`: then nothing is noted. Asking again for the same changes nothing.
   */
  create(request: PlatformEndpointRequest): Promise<PlatformEndpoint>;
  /**
   * Makes its interface, or finds the one that waits, in the router's network namespace: with its MAC and MTU, without addresses, down. Others
   * reach it as soon as it is set up. Rejects with `no-such-endpoint`, and with what making a network's segment rejects with.
   */
  plug(id: string): Promise<{ readonly interface: string }>;
  /** Tells in which container it is: that gives it its names, and puts the interface back when it is lost. Unknown ids are left alone. */
  bind(id: string, container: PlatformContainer): Promise<void>;
  /**
   * Gives the container that it is in the `routes` of all networks, of which one can have but one each: the interface that had them is gone. Unknown ids are left alone, and those whose container is not known.
   */
  route(id: string): Promise<void>;
  /**
   * Notes an endpoint and makes its interface in a container's namespace, for a platform that does not move it: with addresses and routes, up,
   * announced, and put back when it is lost while the namespace is there. An endpoint with this id that was noted before goes first. Rejects as
   * `create` does, and with `no-such-namespace`, `not-a-namespace`, `own-namespace`, `bad-interface-name` or `interface-taken`: then nothing
   * is noted, and nothing is left in the container.
   */
  attach(request: PlatformEndpointRequest, place: PlatformPlace): Promise<PlacedEndpoint>;
  /** What is not with its interface as it was attached, in words. Rejects with `no-such-endpoint` or `no-such-namespace`. */
  flaws(id: string): Promise<readonly string[]>;
  /** Takes its interface away; what is noted stays, and it can be plugged again. Unknown ids are left alone. */
  unplug(id: string): Promise<void>;
  /** Takes it away and forgets it. Unknown ids are left alone. */
  remove(id: string): Promise<void>;
  list(): readonly PlatformEndpoint[];
}

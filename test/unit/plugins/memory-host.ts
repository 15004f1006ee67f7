import ipaddr from 'ipaddr.js';
import { WeftError } from '../../../src/errors.js';
import type {
  PlatformAddresses,
  PlatformContainer,
  PlatformEndpoint,
  PlatformEndpoints,
  PlatformHost,
  PlatformNetworks,
  PlatformPlace,
} from '../../../src/plugins/platform/index.js';

/** What weft does for a platform, in memory: it outlives the plugin, as the daemon's own files do. */
export class MemoryHost implements PlatformHost {
  readonly held = new Set<string>();
  /** Addresses of other hosts, and whose they are. */
  readonly elsewhere = new Map<string, string>();
  readonly ensured = new Map<string, readonly string[]>();
  readonly made = new Map<string, PlatformEndpoint>();
  readonly bound = new Map<string, PlatformContainer>();
  readonly plugged = new Set<string>();
  /** Endpoints that containers were given their routes through, beside those that Docker gave. */
  readonly routed: string[] = [];
  /** Endpoints that were made where they are to be. */
  readonly placed = new Map<string, PlatformPlace>();
  /** What somebody did to interfaces, by endpoint. */
  readonly harm = new Map<string, readonly string[]>();
  /** Thrown by the next `attach`, once. */
  failure: Error | undefined;
  obstacle: string | null = null;
  subnet6: string | null = 'fd7a:1234:5678::a20:0/112';
  /** Answers of `take` wait for this. */
  gate: Promise<void> = Promise.resolve();

  get networks(): PlatformNetworks {
    return {
      mtu: 1_410,
      dns: { server: '169.254.53.53', domain: 'weft.local' },
      routes: ['224.0.0.0/4', '169.254.53.53/32'],
      ranges: { range: '10.32.0.0/12', subnet: '10.32.0.0/16', subnet6: this.subnet6 },
      ensure: async (name, subnets) => {
        const known = this.ensured.get(name);
        if (known !== undefined && known.join() !== subnets.join()) {
          throw new WeftError('network-exists', `the network ${name} has other subnets: ${known.join(', ')}`);
        }
        this.ensured.set(name, subnets);
      },
      subnets: (name) => {
        if (name === 'default') return ['10.32.0.0/16', ...(this.subnet6 === null ? [] : [this.subnet6])];
        const subnets = this.ensured.get(name);
        if (subnets === undefined) throw new WeftError('no-such-network', `there is no network ${name}`);
        return subnets;
      },
      gateways: async () => ['10.32.255.254/16', 'fd7a:1234:5678::a20:fffe/112'],
      release: async (name) => {
        if (![...this.made.values()].some(({ network }) => network === name)) this.ensured.delete(name);
      },
    };
  }

  readonly addresses: PlatformAddresses = {
    take: async (subnet) => {
      await this.gate;
      const [first, length] = ipaddr.parseCIDR(subnet);
      const bytes = first.toByteArray();
      for (let number = 1; number < 250; number++) {
        const address = ipaddr.fromByteArray([...bytes.slice(0, -1), number]);
        const text = address.toString();
        if (!address.match(first, length) || this.held.has(text) || this.elsewhere.has(text)) continue;
        this.held.add(text);
        return `${text}/${length}`;
      }
      throw new WeftError('no-space', `all addresses of ${subnet} are in use`);
    },
    claim: async (address) => {
      const whose = this.elsewhere.get(address);
      if (whose !== undefined) throw new WeftError('address-used', `${address} is in use by ${whose}`);
      if (/^(10\.(3[2-9]|4[0-7])\.|fd7a:)/.test(address)) this.held.add(address);
    },
    release: async (address) => {
      this.held.delete(address);
    },
    held: () => [...this.held],
    obstacle: () => this.obstacle,
  };

  readonly endpoints: PlatformEndpoints = {
    create: async ({ id, network, addresses, mac }) => {
      const before = this.made.get(id);
      if (before !== undefined) return before;
      const other = [...this.made.values()].find((each) => each.addresses.some((a) => addresses.includes(a)));
      if (other !== undefined) {
        throw new WeftError('address-used', `${addresses.join()} is in use by ${other.id}`);
      }
      const made = {
        id,
        network,
        addresses,
        mac: mac ?? '02:00:00:00:00:01',
        container: null,
        present: false,
      };
      this.made.set(id, made);
      return made;
    },
    plug: async (id) => {
      if (!this.made.has(id)) throw new WeftError('not-attached', `there is no endpoint ${id}`);
      this.plugged.add(id);
      return { interface: `vw${id.slice(0, 10)}` };
    },
    bind: async (id, container) => {
      const endpoint = this.made.get(id);
      if (endpoint === undefined) return;
      this.made.set(id, { ...endpoint, container: container.id });
      this.bound.set(id, container);
    },
    route: async (id) => void this.routed.push(id),
    attach: async (request, place) => {
      const { failure } = this;
      this.failure = undefined;
      if (failure !== undefined) throw failure;
      const { mac } = await this.endpoints.create(request);
      const made = { ...request, mac, container: place.container, present: true };
      this.made.set(request.id, made);
      this.placed.set(request.id, place);
      return { ...made, port: 'wv0123456789ab' };
    },
    flaws: async (id) => {
      if (!this.made.has(id)) throw new WeftError('no-such-endpoint', `there is no endpoint ${id}`);
      return this.harm.get(id) ?? [];
    },
    unplug: async (id) => {
      this.plugged.delete(id);
    },
    remove: async (id) => {
      this.made.delete(id);
      this.plugged.delete(id);
      this.bound.delete(id);
      this.placed.delete(id);
    },
    list: () => [...this.made.values()],
  };
}

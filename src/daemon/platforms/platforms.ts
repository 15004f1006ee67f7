import { CONTAINER_ROUTES, RESOLVER_ADDRESS } from '../../hostnet/index.js';
import { parseBlock } from '../../ipam/index.js';
import { isIpv6 } from '../../net/index.js';
import { DEFAULT_NETWORK } from '../../networks/index.js';
import { SerialByKey } from '../../order.js';
import type { PlatformHost, PlatformNetworks } from '../../plugins/platform/index.js';
import type { AddressPlan, AddressSource } from '../addresses/index.js';
import type { Attachments } from '../attachments/index.js';
import type { Exposures } from '../exposures/index.js';
import type { Networks } from '../segments/index.js';
import { TakenAddresses } from './platform-addresses.js';

export interface PlatformsOptions {
  /** Of every interface, in bytes. */
  readonly mtu: number;
  readonly plan: Pick<AddressPlan, 'range' | 'defaultSubnet' | 'ula'>;
  /** Of the names of containers; null where none are served. */
  readonly domain: string | null;
  readonly networks: Pick<Networks, 'ensure' | 'release' | 'subnets'>;
  readonly addresses: Pick<AddressSource, 'takeOne' | 'claim' | 'release' | 'held'>;
  /** Why no addresses can be given now, in words; null where nothing is known that is in the way. */
  readonly obstacle: () => string | null;
  readonly attachments: Pick<Attachments, 'ofPlatform'>;
  readonly exposures: Pick<Exposures, 'expose' | 'list'>;
}

/** What this router does for each platform: what one has another neither sees nor changes. */
export class Platforms {
  readonly #options: PlatformsOptions;
  readonly #exposing = new SerialByKey();

  constructor(options: PlatformsOptions) {
    this.#options = options;
  }

  /** `name` is noted with all that the platform has: it is to be the same for ever. */
  host(name: string): PlatformHost {
    const { addresses, attachments, obstacle } = this.#options;
    return {
      networks: this.#networks(),
      addresses: new TakenAddresses(name, addresses, obstacle),
      endpoints: attachments.ofPlatform(name),
    };
  }

  #networks(): PlatformNetworks {
    const { mtu, networks, plan, domain } = this.#options;
    const { range, defaultSubnet, ula } = plan;
    return {
      mtu,
      dns: domain === null ? null : { server: RESOLVER_ADDRESS, domain },
      routes: CONTAINER_ROUTES,
      ranges: {
        range: range.text,
        subnet: defaultSubnet.text,
        subnet6: ula?.text(defaultSubnet.start, defaultSubnet.length) ?? null,
      },
      ensure: (name, subnets) => networks.ensure(name, subnets),
      release: (name) => networks.release(name),
      subnets: (name) => this.#subnets(name),
      gateways: (name) => this.#gateways(name),
    };
  }

  /** An IPv4 subnet has the IPv6 one that goes with it, as for `weft attach`. */
  #subnets(name: string): readonly string[] {
    const { networks, plan } = this.#options;
    const known = name === DEFAULT_NETWORK ? [plan.defaultSubnet.text] : networks.subnets(name);
    const subnet = known.find((text) => !isIpv6(text));
    if (subnet === undefined) return known.slice(0, 1);
    const { start, length } = parseBlock(subnet);
    return plan.ula === undefined ? [subnet] : [subnet, plan.ula.text(start, length)];
  }

  /** Of several who ask at a time the first has it done. */
  #gateways(network: string): Promise<readonly string[]> {
    const { exposures } = this.#options;
    return this.#exposing.run(network, async () => {
      const here = exposures.list().filter((exposure) => exposure.network === network);
      const exposed = here.length > 0 ? here : await exposures.expose({ network, addresses: [] });
      return exposed.map(({ address }) => address);
    });
  }
}

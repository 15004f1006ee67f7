import { CONTAINER_ROUTES } from '../../hostnet/index.js';
import type { PlatformHost, PlatformNetworks } from '../../plugins/platform/index.js';
import type { AddressPlan, AddressSource } from '../addresses/index.js';
import type { Attachments } from '../attachments/index.js';
import type { Networks } from '../segments/index.js';
import { TakenAddresses } from './platform-addresses.js';

export interface PlatformsOptions {
  /** Of every interface, in bytes. */
  readonly mtu: number;
  readonly plan: Pick<AddressPlan, 'range' | 'defaultSubnet' | 'ula'>;
  readonly networks: Pick<Networks, 'ensure' | 'release'>;
  readonly addresses: Pick<AddressSource, 'takeOne' | 'claim' | 'release' | 'held'>;
  readonly attachments: Pick<Attachments, 'ofPlatform'>;
}

/** What this router does for each platform: what one has another neither sees nor changes. */
export class Platforms {
  readonly #options: PlatformsOptions;

  constructor(options: PlatformsOptions) {
    this.#options = options;
  }

  /** `name` is noted with all that the platform has: it is to be the same for ever. */
  host(name: string): PlatformHost {
    const { addresses, attachments } = this.#options;
    return {
      networks: this.#networks(),
      addresses: new TakenAddresses(name, addresses),
      endpoints: attachments.ofPlatform(name),
    };
  }

  #networks(): PlatformNetworks {
    const { mtu, networks, plan } = this.#options;
    const { range, defaultSubnet, ula } = plan;
    return {
      mtu,
      routes: CONTAINER_ROUTES,
      ranges: {
        range: range.text,
        subnet: defaultSubnet.text,
        subnet6: ula?.text(defaultSubnet.start, defaultSubnet.length) ?? null,
      },
      ensure: (name, subnets) => networks.ensure(name, subnets),
      release: (name) => networks.release(name),
    };
  }
}

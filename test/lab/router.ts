import { Node } from './node.js';
import type { Wire } from './wire.js';

/** A machine in the middle: forwards between its wires, and may translate addresses. */
export class Router extends Node {
  async forward(): Promise<void> {
    await this.sysctl({
      'net.ipv4.ip_forward': 1,
      'net.ipv6.conf.all.forwarding': 1,
      'net.ipv4.conf.all.rp_filter': 0,
    });
  }

  /** Hides everything behind this router's address on `outside`; a NAT that does not preserve ports makes up new ones. */
  async masquerade(outside: Wire, { preservePorts = true } = {}): Promise<void> {
    await this.nft(
      `table ip nat {
        chain postrouting {
          type nat hook postrouting priority srcnat;
          oifname "${outside.portOf(this).device}" masquerade ${preservePorts ? '' : 'random,fully-random'}
        }
      }`,
    );
  }
}

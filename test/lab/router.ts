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

  /**
   * Hides everything behind this router's address on `outside`, and lets in only what answers somebody inside, as the NATs of homes
   * and offices do; one that does not preserve ports makes up new ones.
   */
  async masquerade(outside: Wire, { preservePorts = true } = {}): Promise<void> {
    const { device } = outside.portOf(this);
    const unasked = `iifname "${device}" ct state new drop`;
    await this.nft(
      `table ip filter {
        chain input { type filter hook input priority 0; ${unasked}; }
        chain forward { type filter hook forward priority 0; ${unasked}; }
      }
      table ip nat {
        chain postrouting {
          type nat hook postrouting priority srcnat;
          oifname "${device}" masquerade ${preservePorts ? '' : 'random,fully-random'}
        }
      }`,
    );
  }

  /** On one that masquerades: hands what comes from `outside` for a port of ours to a port inside, TCP and UDP, as people set up their NATs. */
  async forwardPort(outside: Wire, port: number, address: string, to: number): Promise<void> {
    const { device } = outside.portOf(this);
    await this.nft(
      `table ip nat {
        chain prerouting {
          type nat hook prerouting priority dstnat;
          iifname "${device}" meta l4proto { tcp, udp } th dport ${port} dnat to ${address}:${to}
        }
      }
      insert rule ip filter forward ct status dnat accept`,
    );
  }
}

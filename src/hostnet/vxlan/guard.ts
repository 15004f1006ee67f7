import { CommandFailed, run } from '../kernel/index.js';
import { nft } from '../packet-filter/index.js';

/** From where packets of a VXLAN network are taken. */
export interface Admitted {
  readonly vni: number;
  /** All of one family: that of the device's own address. */
  readonly addresses: readonly string[];
}

/**
 * A VXLAN device takes packets from anybody, whether it learns from them or not (CVE-2023-28840). One nftables table of our own (family inet,
 * `weft-BRIDGE-vxlan`) drops what comes to its port from others than the trusted peers of the network that the packet says it is of.
 */
export class VxlanGuard {
  readonly #table: string;
  #written: string | undefined;
  /** As the kernel listed it when we looked first after we had written it. */
  #listed: string | undefined;

  constructor(bridge: string) {
    this.#table = tableOf(bridge);
  }

  /** Has these rules be in force, in place of any before. */
  async admit(port: number, admitted: readonly Admitted[]): Promise<void> {
    const text = guardTable(this.#table, port, admitted);
    if (text === this.#written) return;
    await this.#write(text);
  }

  /** Makes again what somebody changed or removed; true when that was so. */
  async look(): Promise<boolean> {
    if (this.#written === undefined) return false;
    const listed = await this.#list();
    if (listed !== undefined) this.#listed ??= listed;
    if (listed !== undefined && listed === this.#listed) return false;
    await this.#write(this.#written);
    return true;
  }

  /** Removes the rules, also those of an earlier guard. */
  async drop(): Promise<void> {
    this.#written = undefined;
    await nft(removal(this.#table));
  }

  async #write(text: string): Promise<void> {
    await nft([...removal(this.#table), text]);
    this.#written = text;
    this.#listed = undefined;
  }

  async #list(): Promise<string | undefined> {
    return await run('nft', ['--stateless', 'list', 'table', 'inet', this.#table]).catch((error: unknown) => {
      if (error instanceof CommandFailed) return undefined;
      throw error;
    });
  }
}

/** The network identifier is at byte 4 of the VXLAN header (RFC 7348, section 5), which follows 8 bytes of UDP. */
export function guardTable(table: string, port: number, admitted: readonly Admitted[]): string {
  const rules = admitted
    .filter(({ addresses }) => addresses.length > 0)
    .map(({ vni, addresses }) => {
      const ip = addresses[0]?.includes(':') ? 'ip6' : 'ip';
      return `@th,96,24 ${vni} ${ip} saddr { ${addresses.join(', ')} } accept`;
    });
  return `table inet ${table} {
    counter refused {}
    chain judge {
      ${rules.join('\n      ')}
      counter name refused drop
    }
    chain input {
      type filter hook input priority raw; policy accept;
      udp dport ${port} jump judge
    }
  }`;
}

function tableOf(bridge: string): string {
  return `weft-${bridge}-vxlan`;
}

function removal(table: string): string[] {
  return [`table inet ${table}`, `delete table inet ${table}`];
}

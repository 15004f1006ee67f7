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

const FAMILIES = [
  { family: 'ip', protocol: 'ipv4' },
  { family: 'ip6', protocol: 'ipv6' },
];

/**
 * One look-up judges a packet, however many networks and peers there are, and each packet pays for it: so four bytes of the VXLAN header are read, the network
 * identifier and a zero behind it (RFC 7348, section 5; 8 bytes of UDP come before it), and the sets have a size, for which the kernel has quicker ones.
 */
export function guardTable(table: string, port: number, admitted: readonly Admitted[]): string {
  const pairs = admitted.flatMap(({ vni, addresses }) => addresses.map((address) => [vni, address] as const));
  const families = FAMILIES.map(({ family, protocol }) => {
    const own = pairs.filter(([, address]) => address.includes(':') === (family === 'ip6'));
    const elements = own.map(([vni, address]) => `${vni * 256} . ${address}`).join(', ');
    return {
      set: `set ${protocol} { typeof @th,96,32 . ${family} saddr; size ${Math.max(1, own.length)}; ${elements && `elements = { ${elements} }`} }`,
      rule: `meta nfproto ${protocol} udp dport ${port} @th,96,32 . ${family} saddr != @${protocol} counter name refused drop`,
    };
  });
  return `table inet ${table} {
    counter refused {}
    ${families.map(({ set }) => set).join('\n    ')}
    chain input {
      type filter hook input priority raw; policy accept;
      ${families.map(({ rule }) => rule).join('\n      ')}
    }
  }`;
}

function tableOf(bridge: string): string {
  return `weft-${bridge}-vxlan`;
}

function removal(table: string): string[] {
  return [`table inet ${table}`, `delete table inet ${table}`];
}

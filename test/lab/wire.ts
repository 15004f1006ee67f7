import { begun } from './leftovers.js';
import type { Node } from './node.js';
import { TRAFFIC } from './traffic.js';

export interface WireOptions {
  /** Of every interface on it, bytes. */
  mtu?: number;
  /** Bottleneck of every port, as tc writes it ("100mbit"); unlimited without. */
  rate?: string;
}

/** What a wire can lose. "icmp errors" are those that path MTU discovery lives on; "udp" and "tcp" are meant literally. */
export type Kind = 'everything' | 'udp' | 'tcp' | 'icmp errors';

const MATCH: Record<Kind, string> = {
  everything: '',
  udp: 'meta l4proto udp',
  tcp: 'meta l4proto tcp',
  'icmp errors':
    'ether type { ip, ip6 } meta l4proto { icmp, ipv6-icmp } @th,0,8 { 1, 2, 3, 4 } ' /* unreachable, too big, time exceeded */,
};

/** A cable between a node and a wire's switch. */
export class Port {
  #plugged = () => {};

  constructor(
    readonly wire: Wire,
    readonly node: Node,
    /** Of the interface at the node. */
    readonly device: string,
    /** IPv4 and IPv6 address of the node on this wire. */
    readonly address: string,
    readonly address6: string,
    /** Of the interface at the switch. */
    readonly farDevice: string,
  ) {}

  /** Pulls the cable: the node sees the carrier go. */
  async unplug(): Promise<void> {
    await this.wire.node.ip(`link set ${this.farDevice} down`);
    this.#plugged = begun(() => this.plug());
  }

  async plug(): Promise<void> {
    this.#plugged();
    await this.wire.node.ip(`link set ${this.farDevice} up`);
  }
}

/** Something that a wire loses, until it is lifted. */
export class Loss {
  readonly #lifted = begun(() => this.lift());

  constructor(
    private readonly wire: Node,
    private readonly handle: string,
  ) {}

  async lift(): Promise<void> {
    this.#lifted();
    await this.wire.nft(`delete rule bridge lab forward handle ${this.handle}`);
  }
}

/** An Ethernet segment: a switch in a namespace of its own, with a veth to each node. Losses happen in the switch. */
export class Wire {
  readonly ports: Port[] = [];
  readonly mtu: number;

  private constructor(
    readonly node: Node,
    readonly number: number,
    private readonly options: WireOptions,
  ) {
    this.mtu = options.mtu ?? 1500;
  }

  static async lay(node: Node, number: number, options: WireOptions): Promise<Wire> {
    const wire = new Wire(node, number, options);
    await node.ip(
      'link set lo up',
      `link add switch mtu ${wire.mtu} type bridge mcast_snooping 0`,
      'link set switch up',
    );
    await node.nft(
      'add table bridge lab; add chain bridge lab forward { type filter hook forward priority 0; }',
    );
    return wire;
  }

  /** The IPv4 network of this wire. */
  get subnet(): string {
    return `192.168.${this.number}.0/24`;
  }

  /** The kernel has no IPv6 on a link that is too small for it (RFC 8200). */
  get carriesIpv6(): boolean {
    return this.mtu >= 1280;
  }

  /** Plugs a node in, with the next free address. */
  async join(node: Node): Promise<Port> {
    const index = this.ports.length + 1;
    const device = `eth${this.number}`;
    const farDevice = `port${index}`;
    const port = new Port(
      this,
      node,
      device,
      `192.168.${this.number}.${index}`,
      `fd00:${this.number}::${index}`,
      farDevice,
    );
    this.ports.push(port);
    await this.node.ip(
      `link add ${farDevice} mtu ${this.mtu} type veth peer name ${device} mtu ${this.mtu} netns ${node.namespace}`,
      `link set ${farDevice} master switch up`,
    );
    await node.ip(`link set ${device} up`, `address add ${port.address}/24 dev ${device}`);
    if (this.carriesIpv6) await node.ip(`address add ${port.address6}/64 dev ${device} nodad`);
    if (this.options.rate !== undefined) {
      const limit = ['tbf', 'rate', this.options.rate, 'burst', '64kb', 'latency', '50ms'];
      await this.node.run(['tc', 'qdisc', 'add', 'dev', farDevice, 'root', ...limit]);
    }
    return port;
  }

  /** Loses a kind of packets, all or a share (0 to 1), whoever or only one node sends or is sent them. */
  async lose(
    kind: Kind,
    { share = 1, from, to }: { share?: number; from?: Node; to?: Node } = {},
  ): Promise<Loss> {
    const parts = [
      from === undefined ? '' : `iifname ${this.portOf(from).farDevice}`,
      to === undefined ? '' : `oifname ${this.portOf(to).farDevice}`,
      MATCH[kind],
      share === 1 ? '' : `numgen random mod 10000 < ${Math.round(share * 10_000)}`,
      'drop',
    ];
    const echoed = await this.node.nft(`add rule bridge lab forward ${parts.join(' ')}`);
    const handle = /# handle (\d+)/.exec(echoed)?.[1];
    if (handle === undefined) throw new Error(`nft did not tell the handle of the rule: ${echoed}`);
    return new Loss(this.node, handle);
  }

  /** Lets a share (0 to 1) of what each node sends arrive so many milliseconds later, behind what was sent after it. */
  async reorder(share: number, later: number): Promise<void> {
    await this.node.ip(
      `link add late mtu ${this.mtu} type veth peer name held mtu ${this.mtu}`,
      `link add back mtu ${this.mtu} type veth peer name return mtu ${this.mtu}`,
      ...['late', 'held', 'back'].map((device) => `link set ${device} up`),
      'link set return master switch up',
      // Addresses stay where they are.
      'link set return type bridge_slave learning off',
    );
    const process = this.node.start([TRAFFIC, 'hold', 'held', 'back', `${later}`]);
    await process.says(/ready/);
    const chance = `numgen random mod 10000 < ${Math.round(share * 10_000)}`;
    const chains = this.ports.map(
      ({ farDevice }) => `chain ${farDevice} {
        type filter hook ingress device "${farDevice}" priority 0;
        ${chance} fwd to "late"
      }`,
    );
    await this.node.nft(`table netdev lab {\n${chains.join('\n')}\n}`);
  }

  /** The port of a node on this wire. */
  portOf(node: Node): Port {
    const port = this.ports.find((candidate) => candidate.node === node);
    if (port === undefined) throw new Error(`${node.name} is not on wire ${this.number}`);
    return port;
  }
}

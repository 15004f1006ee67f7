import { run } from './command.js';
import type { Host } from './host.js';
import { Node } from './node.js';

/** A namespace without a wire of its own: what it reaches, it reaches over the overlay. */
export class Container extends Node {
  readonly addresses: string[] = [];

  constructor(
    name: string,
    namespace: string,
    readonly host: Host,
  ) {
    super(name, namespace);
  }

  /** The first IPv4 address. */
  get address(): string {
    return this.firstAddress((cidr) => !cidr.includes(':'));
  }

  /** The first IPv6 address. */
  get address6(): string {
    return this.firstAddress((cidr) => cidr.includes(':'));
  }

  /** Attaches this container to the overlay of its host, with these addresses (options of `weft attach` may be among them). */
  async attach(...addresses: string[]): Promise<void> {
    await this.host.weft('attach', this.namespace, ...addresses);
    this.addresses.push(...addresses.filter((argument) => argument.includes('/')));
  }

  async detach(): Promise<void> {
    await this.host.weft('detach', this.namespace);
    this.addresses.length = 0;
  }

  /** The container ends: its namespace is gone, with everything in it. */
  async end(): Promise<void> {
    await run(['ip', 'netns', 'delete', this.namespace]);
  }

  /** Ends, and runs again, as whoever restarts a container does. */
  async restart(): Promise<void> {
    await this.end();
    await this.begin();
  }

  /** It runs again after it ended. */
  async begin(): Promise<void> {
    await run(['ip', 'netns', 'add', this.namespace]);
    await this.ip('link set lo up');
  }

  /** The interface that weft made in here. */
  async device(): Promise<{ ifname: string; address: string; mtu: number }> {
    const links = await this.ipJson<{ ifname: string; address: string; mtu: number }[]>('link', 'show');
    const link = links.find((candidate) => candidate.ifname !== 'lo');
    if (link === undefined) throw new Error(`${this.name} is not attached`);
    return link;
  }

  private firstAddress(wanted: (cidr: string) => boolean): string {
    const cidr = this.addresses.find(wanted);
    if (cidr === undefined) throw new Error(`${this.name} has no such address`);
    return cidr.slice(0, cidr.indexOf('/'));
  }
}

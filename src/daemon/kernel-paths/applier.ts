import type { ForwarderDump } from '../../forwarder/index.js';
import { type LinkStates, vxlanFlaw, vxlanName } from '../../hostnet/index.js';
import type { PeerId } from '../../identity/index.js';
import type { Log } from '../logging/index.js';
import { keyOf } from './key.js';
import type { KernelForwarder, KernelGuard, KernelPlumbing } from './plumbing.js';
import type { WantedNetwork } from './wanted.js';

export interface ApplierOptions {
  /** Peer id of this router. */
  readonly owner: PeerId;
  /** UDP port of the VXLAN devices. */
  readonly port: number;
  /** Of the containers. */
  readonly mtu: number;
  /** MAC of this router's bridges. */
  readonly station: string;
  readonly forwarder: KernelForwarder;
  readonly host: KernelPlumbing;
  readonly guard: KernelGuard;
  readonly log: Log;
}

/** What is to be made. */
export interface Wanted {
  readonly networks: readonly WantedNetwork[];
  /** Address of this host. */
  readonly local: string;
}

/** Brings kernel, packet filter and forwarder to what is wanted. One thing at a time. */
export class Applier {
  readonly #options: ApplierOptions;
  /** Devices that are there as far as we know, by name. */
  readonly #made = new Map<string, { readonly network: number; readonly local: string }>();
  /** Before that, an earlier run of this router may have left devices and rules. */
  #hasBegun = false;
  #mayHaveRules = false;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** The forwarder lost the device of a network: somebody deleted it, or took it down. */
  remake(network: number): void {
    for (const [name, { network: of }] of this.#made) if (of === network) this.#made.delete(name);
  }

  /** Whether somebody changed a device. */
  isFlawed({ networks }: Wanted, links: LinkStates): boolean {
    const { mtu } = this.#options;
    const flawed = networks.filter(({ bridge }) => {
      const name = vxlanName(bridge);
      return this.#made.has(name) && vxlanFlaw({ bridge, mtu }, links.of(name)) !== undefined;
    });
    for (const { bridge } of flawed) this.#made.delete(vxlanName(bridge));
    return flawed.length > 0;
  }

  /** Rejects with what is in the way; all that could be made is there then. */
  async apply(wanted: Wanted, dump: ForwarderDump): Promise<void> {
    const { guard, port } = this.#options;
    const hasAny = wanted.networks.length > 0;
    await this.#endProbes(wanted, dump);
    // Nobody else may send to a device, so it comes after its rules and goes before them.
    this.#mayHaveRules ||= hasAny || !this.#hasBegun;
    if (hasAny) await guard.admit(port, wanted.networks.map(admittedOf));
    await this.#removeDevices(wanted);
    if (!hasAny) await this.drop();
    for (const network of wanted.networks) await this.#make(network, wanted.local, dump);
  }

  /** Takes the rules away, where there may be some of this router. */
  async drop(): Promise<void> {
    if (this.#mayHaveRules) await this.#options.guard.drop();
    this.#mayHaveRules = false;
  }

  /** Makes again what somebody changed of the rules. */
  async look(): Promise<void> {
    const { guard, log } = this.#options;
    if (await guard.look()) log.warn('the rules of kernel paths were changed by somebody, making them again');
  }

  async #endProbes({ networks }: Wanted, { kernelPaths, networks: served }: ForwarderDump): Promise<void> {
    const { forwarder } = this.#options;
    const pairs = new Set(
      networks.flatMap(({ network, peers }) => [...peers.keys()].map((peer) => keyOf(network, peer))),
    );
    for (const { network, peer } of kernelPaths) {
      if (!pairs.has(keyOf(network, peer))) await forwarder.removeKernelPath(network, peer);
    }
    for (const { network, kernelPath } of served) {
      const isWanted = networks.some((each) => each.network === network);
      if (kernelPath !== null && !isWanted) await forwarder.closeKernelPath(network);
    }
  }

  async #removeDevices({ networks }: Wanted): Promise<void> {
    const { host, owner } = this.#options;
    const names = new Set(networks.map(({ bridge }) => vxlanName(bridge)));
    const there = this.#hasBegun ? [...this.#made.keys()] : await host.vxlansOf(owner);
    this.#hasBegun = true;
    for (const name of there) {
      if (names.has(name)) continue;
      await host.removeLink(name);
      this.#made.delete(name);
    }
  }

  async #make(wanted: WantedNetwork, local: string, dump: ForwarderDump): Promise<void> {
    const { host, forwarder, owner, port, mtu } = this.#options;
    const { network, bridge, stations } = wanted;
    const name = vxlanName(bridge);
    const isThere = this.#made.get(name)?.local === local;
    if (!isThere) await host.ensureVxlan({ bridge, owner, vni: vniOf(network), local, port, mtu });
    this.#made.set(name, { network, local });
    const there = await host.stationsOf(name, port);
    if (there === undefined) {
      // Somebody deleted it a moment ago: the bridge gives its frames to the TAP meanwhile, and the next look makes it again.
      this.#made.delete(name);
      return;
    }
    await host.change(host.changesOf(name, there, stations));
    const isOpen =
      isThere && dump.networks.some((each) => each.network === network && each.kernelPath === name);
    if (!isOpen) await forwarder.openKernelPath(network, name);
    await this.#beginProbes(wanted, dump);
  }

  /** A forwarder that was started a moment ago may not know the peer yet. */
  async #beginProbes({ network, peers }: WantedNetwork, dump: ForwarderDump): Promise<void> {
    const { forwarder, station: source, mtu } = this.#options;
    const probed = new Set(dump.kernelPaths.map((path) => keyOf(path.network, path.peer)));
    const known = new Set<string>(dump.peers.map(({ peer }) => peer));
    for (const [peer, { mac }] of peers) {
      if (!known.has(peer) || probed.has(keyOf(network, peer))) continue;
      await forwarder.setKernelPath({ network, peer, mac, source, mtu });
    }
  }
}

function admittedOf({ network, peers }: WantedNetwork) {
  return { vni: vniOf(network), addresses: [...peers.values()].map(({ remote }) => remote.address) };
}

/** The default network is number 0; other things than weft take VXLAN 0 for none. */
function vniOf(network: number): number {
  return network + 1;
}

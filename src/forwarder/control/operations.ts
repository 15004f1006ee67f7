import { EventEmitter } from 'node:events';
import { WeftError } from '../../errors.js';
import { PROTOCOL_VERSIONS } from '../../protocol-versions.js';
import type { AnswerOf, Operation, RequestOf } from './contract.js';
import type {
  ForwarderDump,
  ForwarderGroups,
  ForwarderHello,
  ForwarderMacs,
  ForwarderStats,
} from './reports.js';

/** What can be asked of a forwarder, whatever carries the requests to it. Rejects as `request` does. */
export abstract class Operations<
  Events extends Record<keyof Events, unknown[]>,
> extends EventEmitter<Events> {
  protected abstract request<Op extends Operation>(
    op: Op,
    fields: RequestOf<Op>,
    timeout?: number,
  ): Promise<AnswerOf<Op>>;

  /** What it says of itself. `timeout` in milliseconds. Rejects with `version-mismatch` when it speaks another version of the contract. */
  async hello(timeout?: number): Promise<ForwarderHello> {
    const protocol = PROTOCOL_VERSIONS.forwarder;
    return await this.request('hello', { protocol }, timeout).catch((error: unknown) => {
      if (!(error instanceof WeftError && error.code === 'version-mismatch')) throw error;
      const message = `forwarder and daemon are of different versions of weft: ${error.message}, the daemon protocol ${protocol}`;
      throw new WeftError('version-mismatch', message, { cause: error });
    });
  }

  dump(): Promise<ForwarderDump> {
    return this.request('dump', {});
  }

  macs(): Promise<ForwarderMacs> {
    return this.request('macs', {});
  }

  /** The multicast groups that are wanted on this host's side of each segment. */
  groups(): Promise<ForwarderGroups> {
    return this.request('groups', {});
  }

  stats(): Promise<ForwarderStats> {
    return this.request('stats', {});
  }

  setPeer(setting: RequestOf<'peer.set'>): Promise<void> {
    return this.request('peer.set', setting);
  }

  /** Its keys, MACs and counters go, too. */
  removePeer(peer: string): Promise<void> {
    return this.request('peer.remove', { peer });
  }

  /** Probes all candidates of the peer at once. */
  punch(peer: string): Promise<void> {
    return this.request('punch', { peer });
  }

  /** Probes the way that the peer's packets go, as large as a full packet of containers with that MTU. Gives the id that the event `probed` will have. */
  async probe(peer: string, mtu?: number): Promise<number> {
    return (await this.request('probe', mtu === undefined ? { peer } : { peer, mtu })).id;
  }

  /** Sends the peer a frame to everybody on a segment. False where a broadcast would not be sent there. */
  async hail(peer: string, network: number, number: number): Promise<boolean> {
    return (await this.request('hail', { peer, network, number })).sent;
  }

  setKey(setting: RequestOf<'key.set'>): Promise<void> {
    return this.request('key.set', setting);
  }

  removeKey(localIndex: number): Promise<void> {
    return this.request('key.remove', { localIndex });
  }

  /** Closes the peer's TCP connection. */
  removeStream(peer: string): Promise<void> {
    return this.request('stream.remove', { peer });
  }

  /** An endpoint was announced, or announced anew. */
  setEndpoint(endpoint: RequestOf<'endpoint.set'>): Promise<void> {
    return this.request('endpoint.set', endpoint);
  }

  removeEndpoint(network: number, mac: string): Promise<void> {
    return this.request('endpoint.remove', { network, mac });
  }

  /** Forgets all announced endpoints, and the groups of all peers. */
  clearEndpoints(): Promise<void> {
    return this.request('endpoint.clear', {});
  }

  /** Tells this host's side of a segment at which MAC addresses are. */
  announce(network: number, mac: string, addresses: readonly string[]): Promise<void> {
    return this.request('announce', { network, mac, addresses });
  }

  /** The multicast groups that are wanted at a peer; null: nobody knows. */
  setPeerGroups(peer: string, network: number, groups: readonly string[] | null): Promise<void> {
    return this.request('peer.groups', { peer, network, groups });
  }

  /** Forgets the device and the kernel paths of a network. */
  closeKernelPath(network: number): Promise<void> {
    return this.request('kernel-path.close', { network });
  }

  /** Probes a kernel path from now on. Another setting than before is proven anew. */
  setKernelPath(setting: RequestOf<'kernel-path.set'>): Promise<void> {
    return this.request('kernel-path.set', setting);
  }

  removeKernelPath(network: number, peer: string): Promise<void> {
    return this.request('kernel-path.remove', { network, peer });
  }

  setOffload(name: string, enabled: boolean): Promise<void> {
    return this.request('offload.set', { name, enabled });
  }
}

import type { PeerId } from '../../../../src/identity/index.js';
import type { Host } from './host.js';

/** All hosts that there have ever been, in the order in which they joined. */
export class Hosts {
  readonly all: Host[] = [];
  readonly #byPeer = new Map<PeerId, Host>();

  add(host: Host): void {
    this.all.push(host);
    this.#byPeer.set(host.peer, host);
  }

  of(peer: PeerId): Host | undefined {
    return this.#byPeer.get(peer);
  }

  honest(): Host[] {
    return this.all.filter(({ isLiar }) => !isLiar);
  }

  up(): Host[] {
    return this.all.filter(({ state }) => state === 'up');
  }

  founders(): readonly PeerId[] {
    return this.all.map(({ disk }) => disk.founders).find(({ length }) => length > 0) ?? [];
  }

  /** Everything that may explain a violation: what each host has on its disk, and what it waits for. */
  describe(): string {
    return this.all.map((host) => this.#describe(host)).join('\n');
  }

  #describe(host: Host): string {
    const { ring, incarnation } = host.disk;
    const name = (peer: PeerId) => this.of(peer)?.name;
    const arcs = ring?.arcs.map(({ start, end, record }) => {
      const owner = `${name(record.owner)}@${record.ownerIncarnation}v${record.version}`;
      return `${start % 4096}-${end % 4096}:${owner}<${name(record.signer)}`;
    });
    const participants = [...(ring?.participantRecords.values() ?? [])].map((record) => {
      const successor = record.ended ? `>${name(record.successor)}` : '';
      return `${name(record.peer)}@${record.incarnation}${successor}`;
    });
    const view = host.ring?.view();
    const waiting = view?.waitingFor.map(name);
    return `${host.name} (${host.peer}) ${host.state} incarnation ${incarnation} pending ${view?.pending} waits ${waiting}\n   ${arcs?.join(' ')}\n   ${participants.join(' ')}`;
  }
}

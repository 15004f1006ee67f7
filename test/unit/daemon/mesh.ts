/** A mesh without a wire: who its members are a test says, and channels that are opened on it are kept. */
import { EventEmitter } from 'node:events';
import type { GossipChannel, OpenChannel } from '../../../src/gossip/index.js';
import type { PeerId } from '../../../src/identity/index.js';
import type { MemberView, Mesh } from '../../../src/mesh/index.js';

type FakedMesh = Pick<
  Mesh,
  'member' | 'members' | 'off' | 'on' | 'openChannel' | 'reachable' | 'remove' | 'setSecrets' | 'startOver'
>;

export class FakeMesh {
  readonly events = new EventEmitter();
  readonly channels = new Map<string, GossipChannel>();
  readonly removed: { peer: PeerId; expelled: boolean }[] = [];
  readonly unreachable = new Set<PeerId>();
  secrets = 1;
  #members: readonly MemberView[] = [];

  /** As whoever takes a part of the mesh sees it. */
  readonly mesh = {
    member: (peer: PeerId) => this.#members.find((member) => member.peer === peer),
    members: () => this.#members,
    on: (name: string, listener: () => void) => this.events.on(name, listener),
    off: (name: string, listener: () => void) => this.events.off(name, listener),
    reachable: (peer: PeerId) => !this.unreachable.has(peer),
    remove: (peer: PeerId, _by: PeerId, { expelled }: { expelled: boolean }) => {
      this.removed.push({ peer, expelled });
    },
    setSecrets: (secrets: readonly unknown[]) => {
      this.secrets = secrets.length;
    },
    startOver: (secrets: readonly unknown[]) => {
      this.secrets = secrets.length;
      this.#members = this.#members.filter(({ self }) => self);
    },
    openChannel: (channel: GossipChannel): OpenChannel => {
      this.channels.set(channel.name, channel);
      return { changed: () => {}, close: () => void this.channels.delete(channel.name) };
    },
  } as unknown as FakedMesh;

  /** From now on these are the members: the first one is this router. */
  meets(...members: readonly { peer: PeerId; nickname: string; linked?: boolean }[]): void {
    this.#members = members.map(
      (member, index) =>
        ({
          left: false,
          down: false,
          linked: index > 0,
          incarnation: 1,
          self: index === 0,
          ...member,
        }) as MemberView,
    );
    for (const member of this.#members) this.events.emit('member', member);
  }
}

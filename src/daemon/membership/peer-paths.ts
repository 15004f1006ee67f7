import type { PathControl, PeerPath, Pong, TraceHop } from '../../api/index.js';
import type { PeerId } from '../../identity/index.js';
import type { MemberView, Mesh } from '../../mesh/index.js';
import type { Overlay, PathView } from '../../overlay/index.js';
import { memberNamed } from './peer-names.js';

/** How frames for a peer's containers go where both ends trust the wire. */
export interface KernelViews {
  view(peer: PeerId): PeerPath['kernel'];
}

/** What users see and measure of the paths to other routers. */
export class PeerPaths implements PathControl {
  readonly #mesh: Mesh;
  readonly #overlay: Overlay;
  readonly #kernelPaths: KernelViews | undefined;

  constructor(mesh: Mesh, overlay: Overlay, kernelPaths: KernelViews | undefined) {
    this.#mesh = mesh;
    this.#overlay = overlay;
    this.#kernelPaths = kernelPaths;
  }

  async list(): Promise<readonly PeerPath[]> {
    return (await this.#overlay.paths()).map((path) => this.#view(path));
  }

  /** The path to one of them. */
  async of(peer: PeerId): Promise<PeerPath | undefined> {
    const path = await this.#overlay.path(peer);
    return path && this.#view(path);
  }

  async ping(name: string): Promise<Pong> {
    const { peer, nickname } = this.#find(name);
    const rtt = await this.#overlay.ping(peer);
    const connection = (await this.#overlay.connections()).find((each) => each.peer === peer);
    return {
      peer,
      nickname,
      path: connection?.path ?? 'none',
      viaNickname: connection?.viaNickname ?? null,
      rtt,
    };
  }

  async trace(name: string): Promise<readonly TraceHop[]> {
    const hops = await this.#overlay.trace(this.#find(name).peer);
    return hops.map(({ peer, rtt }) => ({ peer, nickname: this.#nickname(peer), rtt }));
  }

  #view({ nats, relays, candidates, ...connection }: PathView): PeerPath {
    return {
      ...connection,
      kernel: this.#kernelPaths?.view(connection.peer) ?? null,
      nat: { here: nats.ours, there: nats.theirs },
      candidates: candidates.map((candidate) => ({ ...candidate })),
      relays: relays.map(({ relay, cost, hops }) => ({
        peer: relay,
        nickname: this.#nickname(relay),
        cost,
        hops,
      })),
    };
  }

  #nickname(peer: PeerId): string {
    return this.#mesh.member(peer)?.nickname ?? peer;
  }

  #find(name: string): MemberView {
    const others = this.#mesh.members().filter(({ self, left }) => !self && !left);
    return memberNamed(others, name);
  }
}

import type { ConnectRequest, Target } from '../../api/index.js';
import { WeftError } from '../../errors.js';
import type { TargetView } from '../../mesh/index.js';
import { formatHostPort, parseHostPort, parseTarget } from '../../net/index.js';
import type { StateFiles } from '../state/index.js';

/** What is needed of the mesh. */
export interface TargetMesh {
  targets(): readonly TargetView[];
  connect(targets: readonly string[], how?: { replace?: boolean }): void;
  forget(targets: readonly string[]): readonly string[];
}

export interface TargetsOptions {
  readonly mesh: TargetMesh;
  readonly file: StateFiles['targets'];
  /** Those of an earlier run that `weft connect` added. */
  readonly connected: readonly string[];
  /** The sources that name a target. */
  readonly sourcesOf: (target: string) => readonly string[];
}

/** Where links are wanted to, and who said so: a launch, `weft connect`, or sources of targets. */
export class Targets {
  readonly #options: TargetsOptions;
  #connected: ReadonlySet<string>;

  constructor(options: TargetsOptions) {
    this.#options = options;
    this.#connected = new Set(options.connected.map(canonical));
  }

  list(): Target[] {
    return this.#options.mesh.targets().map(({ lastError, configured, ...view }) => ({
      ...view,
      from: [
        ...(configured ? [this.#connected.has(view.target) ? 'connect' : 'launch'] : []),
        ...this.#options.sourcesOf(view.target),
      ],
      ...(lastError !== undefined && { lastError: { ...lastError } }),
    }));
  }

  /**
   * Where other routers are, and then where the operator has them sought. What a source tells counts once a router has proven there that it is
   * of this network: whoever is on a LAN can tell anything by mDNS.
   */
  others(): string[] {
    const all = this.#options.mesh.targets();
    const linked = all.filter(({ state }) => state === 'connected');
    const sought = all.filter(
      ({ state, configured }) => configured && state !== 'connected' && state !== 'self',
    );
    return [...linked, ...sought].map(({ target }) => target);
  }

  async connect({ peers, replace = false }: ConnectRequest): Promise<void> {
    for (const peer of peers) parseTarget(peer);
    const launched = new Set(this.#configured().filter((target) => !this.#connected.has(target)));
    const added = peers.map(canonical).filter((target) => !launched.has(target));
    await this.#change(new Set([...this.#connected, ...added]), () =>
      this.#options.mesh.connect(peers, { replace }),
    );
  }

  /** Rejects with `no-such-target` when one was not configured; the others are removed all the same. */
  async forget(peers: readonly string[]): Promise<void> {
    const unknown = await this.#change(this.#connected, () => this.#options.mesh.forget(peers));
    if (unknown.length === 0) return;
    const sources = [...new Set(unknown.flatMap((target) => this.#options.sourcesOf(target)))];
    const why =
      sources.length === 0
        ? '`weft status targets` shows them'
        : `${sources.join(', ')} tells of it: \`weft launch --discover\` chooses other sources`;
    throw new WeftError(
      'no-such-target',
      `${unknown.join(', ')} ${unknown.length === 1 ? 'is no target' : 'are no targets'} of a launch or of \`weft connect\`: ${why}`,
    );
  }

  #configured(): string[] {
    return this.#options.mesh
      .targets()
      .filter(({ configured }) => configured)
      .map(({ target }) => target);
  }

  /** What the disk does not take is not done. */
  async #change<T>(connected: ReadonlySet<string>, change: () => T): Promise<T> {
    const { mesh, file } = this.#options;
    const [before, formerly] = [this.#configured(), this.#connected];
    const result = change();
    const now = new Set(this.#configured());
    this.#connected = new Set([...connected].filter((target) => now.has(target)));
    try {
      await file.write(() => ({ targets: this.#configured(), connected: [...this.#connected] }));
      return result;
    } catch (error) {
      mesh.connect(before, { replace: true });
      this.#connected = formerly;
      throw error;
    }
  }
}

function canonical(target: string): string {
  return formatHostPort(parseHostPort(target));
}

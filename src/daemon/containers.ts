import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Engine, type EngineContainer, type EngineEvent, engineSockets } from '../engine/index.js';
import { systemCode, WeftError } from '../errors.js';
import { type Namespace, resolveNamespace } from '../hostnet/index.js';

const RETRY = 2_000;
const PROCESS_KNOWN = 5_000;
const PROCESS_POLL = 100;

/** Whatever can be attached: it has a network namespace. */
export interface Container {
  /** What its addresses belong to: an engine's id of it, else how its namespace was named. */
  readonly id: string;
  /** As the user named it. */
  readonly target: string;
  /** As others may call it; null when it has no name of its own. */
  readonly name: string | null;
  readonly hostname: string | null;
  readonly namespace: Namespace;
}

/** What has become of a container that was seen before. */
export type Fate =
  | { readonly state: 'running'; readonly container: Container }
  | { readonly state: 'stopped' | 'gone' };

export interface ContainersEvents {
  /** The container with this engine's id started or ended; undefined: any of them may have. */
  changed: [id: string | undefined];
  removed: [id: string];
}

/** Finds containers: named network namespaces, processes, and what the engines of this host run. */
export class Containers extends EventEmitter<ContainersEvents> {
  readonly #engines = engineSockets().map((path) => new Engine(path));
  readonly #watches = new Map<Engine, AbortController>();

  /** Rejects with `no-such-container`, `container-stopped`, and what `resolveNamespace` rejects with. */
  async resolve(target: string): Promise<Container> {
    const byNamespace = await resolveNamespace(target).catch((error: unknown) => {
      if (systemCode(error) !== 'no-such-namespace' || target.startsWith('/')) throw error;
      return undefined;
    });
    if (byNamespace !== undefined) return named(target, byNamespace);
    const found = await this.#inspect(target);
    if (found === undefined) {
      throw new WeftError(
        'no-such-container',
        `there is no container, network namespace or process "${target}": \`docker ps\` and \`ip netns list\` show what there is`,
      );
    }
    return await running(target, found);
  }

  /** Looks again for a container that was seen before. Rejects when it cannot be told. */
  async again({ id, target }: { readonly id: string; readonly target: string }): Promise<Fate> {
    if (!isEngineId(id)) {
      const namespace = await resolveNamespace(target).catch(() => undefined);
      return namespace === undefined
        ? { state: 'gone' }
        : { state: 'running', container: named(target, namespace) };
    }
    const found = await this.#inspect(id);
    if (found === undefined) return { state: 'gone' };
    if (found.pid === undefined) return { state: 'stopped' };
    return { state: 'running', container: await running(target, found) };
  }

  /** Stops watching. */
  stop(): void {
    for (const watch of this.#watches.values()) watch.abort();
    this.#watches.clear();
  }

  /** The first engine that has it. From then on its engine is watched. */
  async #inspect(container: string): Promise<EngineContainer | undefined> {
    for (const engine of this.#engines) {
      const found = await engine.inspect(container);
      if (found === undefined) continue;
      this.#watch(engine);
      return found;
    }
    return undefined;
  }

  #watch(engine: Engine): void {
    if (this.#watches.has(engine)) return;
    const watch = new AbortController();
    this.#watches.set(engine, watch);
    void this.#follow(engine, watch.signal);
  }

  /** Engines are restarted, too. */
  async #follow(engine: Engine, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const event of engine.events(signal)) void this.#tell(engine, event);
      } catch {
        // it ended, or speaks nonsense: what happens meanwhile is seen at the next `connected`
      }
      await delay(RETRY, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #tell(engine: Engine, event: EngineEvent): Promise<void> {
    if (event.kind === 'removed') this.emit('removed', event.id);
    else if (event.kind === 'connected') this.emit('changed', undefined);
    else {
      if (event.kind === 'started') await hasProcess(engine, event.id);
      this.emit('changed', event.id);
    }
  }
}

/** The event may come before the engine knows the process. */
async function hasProcess(engine: Engine, id: string): Promise<void> {
  for (let waited = 0; waited < PROCESS_KNOWN; waited += PROCESS_POLL) {
    const found = await engine.inspect(id).catch(() => undefined);
    if (found?.pid !== undefined) return;
    await delay(PROCESS_POLL);
  }
}

/** True for the ids that engines give; no namespace is named so. */
export function isEngineId(id: string): boolean {
  return /^[0-9a-f]{64}$/.test(id);
}

function named(target: string, namespace: Namespace): Container {
  const isName = !target.startsWith('/') && !/^\d+$/.test(target);
  return { id: target, target, name: isName ? target : null, hostname: null, namespace };
}

async function running(target: string, { id, name, pid, hostname }: EngineContainer): Promise<Container> {
  if (pid === undefined) {
    throw new WeftError('container-stopped', `the container ${name} does not run: start it first`);
  }
  const namespace = { ...(await resolveNamespace(String(pid))), target };
  return { id, target, name, hostname, namespace };
}

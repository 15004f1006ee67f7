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
  /** Socket of the engine that runs it; null for namespaces and processes. */
  readonly engine: string | null;
}

/** A container that was seen before. */
export type Seen = Pick<Container, 'id' | 'target' | 'engine'>;

/** What has become of a container that was seen before. */
export type Fate =
  | { readonly state: 'running'; readonly container: Container }
  /** Also while its engine is not there, which alone can tell. */
  | { readonly state: 'stopped' }
  | { readonly state: 'gone' };

export interface ContainersEvents {
  /** The container with this engine's id started or ended; undefined: any of them may have. */
  changed: [id: string | undefined];
  removed: [id: string];
}

/** Finds containers: named network namespaces, processes, and what the engines of this host run. */
export class Containers extends EventEmitter<ContainersEvents> {
  readonly #engines = new Map(engineSockets().map((path) => [path, new Engine(path)]));
  readonly #watches = new Map<Engine, AbortController>();

  /** Rejects with `no-such-container`, `container-stopped`, and what `resolveNamespace` rejects with. */
  async resolve(target: string): Promise<Container> {
    const byNamespace = await resolveNamespace(target).catch((error: unknown) => {
      if (systemCode(error) !== 'no-such-namespace' || target.startsWith('/')) throw error;
      return undefined;
    });
    if (byNamespace !== undefined) return named(target, byNamespace);
    const found = await this.#find(target);
    if (found === undefined) {
      throw new WeftError(
        'no-such-container',
        `there is no container, network namespace or process "${target}": \`docker ps\` and \`ip netns list\` show what there is`,
      );
    }
    return await running(target, ...found);
  }

  /** Looks again for a container that was seen before. Rejects when it cannot be told. */
  async again({ id, target, engine: path }: Seen): Promise<Fate> {
    if (path === null) {
      const namespace = await resolveNamespace(target).catch(() => undefined);
      return namespace === undefined
        ? { state: 'gone' }
        : { state: 'running', container: named(target, namespace) };
    }
    const engine = this.#engine(path);
    this.#watch(engine);
    const found = await engine.inspect(id).catch(unlessAbsent);
    if (found === 'absent') return { state: 'stopped' };
    if (found === undefined) return { state: 'gone' };
    if (found.pid === undefined) return { state: 'stopped' };
    return { state: 'running', container: await running(target, found, path) };
  }

  /** Stops watching. */
  stop(): void {
    for (const watch of this.#watches.values()) watch.abort();
    this.#watches.clear();
  }

  /** In the first engine that has it. From then on its engine is watched. */
  async #find(container: string): Promise<[found: EngineContainer, engine: string] | undefined> {
    for (const [path, engine] of this.#engines) {
      const found = await engine.inspect(container).catch(unlessAbsent);
      if (found === undefined || found === 'absent') continue;
      this.#watch(engine);
      return [found, path];
    }
    return undefined;
  }

  #engine(path: string): Engine {
    const engine = this.#engines.get(path) ?? new Engine(path);
    this.#engines.set(path, engine);
    return engine;
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

function unlessAbsent(error: unknown): 'absent' {
  if (systemCode(error) === 'engine-absent') return 'absent';
  throw error;
}

function named(target: string, namespace: Namespace): Container {
  const isName = !target.startsWith('/') && !/^\d+$/.test(target);
  return { id: target, target, name: isName ? target : null, hostname: null, namespace, engine: null };
}

async function running(
  target: string,
  { id, name, pid, hostname }: EngineContainer,
  engine: string,
): Promise<Container> {
  if (pid === undefined) {
    throw new WeftError('container-stopped', `the container ${name} does not run: start it first`);
  }
  const namespace = { ...(await resolveNamespace(String(pid))), target };
  return { id, target, name, hostname, namespace, engine };
}

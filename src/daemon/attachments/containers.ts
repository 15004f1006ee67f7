import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Engine, type EngineContainer, type EngineEvent, engineSockets } from '../../engine/index.js';
import { systemCode, WeftError } from '../../errors.js';
import { canonicalTarget, type Namespace, resolveNamespace } from '../../hostnet/index.js';
import type { Labels } from '../../labels.js';
import { carriedLabels } from '../../plugins/labels/index.js';
import { SHORT_ID } from '../../text/index.js';

const RETRY = 2_000;
const PROCESS_KNOWN = 5_000;
const PROCESS_POLL = 100;

/** Whatever can be attached: it has a network namespace. */
export interface Container {
  /** What its addresses belong to: an engine's id of it, else how its namespace was named. */
  readonly id: string;
  /** As the user named it, without a prefix that it does not need. */
  readonly target: string;
  /** As others may call it; null when it has no name of its own. */
  readonly name: string | null;
  readonly hostname: string | null;
  readonly namespace: Namespace;
  /** Socket of the engine that runs it; null for namespaces and processes. */
  readonly engine: string | null;
}

/** A container that somebody asked for. */
export interface Found extends Container {
  /** What its engine says that others are to know of it. */
  readonly labels: Labels;
}

/** A container that was seen before. */
export type Seen = Pick<Container, 'id' | 'target' | 'engine'>;

/** What has become of a container that was seen before. */
export type Fate =
  | { readonly state: 'running'; readonly container: Container }
  /** Also while its engine is not there, which alone can tell. */
  | {
      readonly state: 'stopped';
      /** As its engine calls it now; undefined while that is not there. */
      readonly name?: string;
    }
  | { readonly state: 'gone' };

export interface ContainersEvents {
  /** The container with this engine's id started, ended, was renamed, or joined or left a network of the engine; undefined: any of them may have. */
  changed: [id: string | undefined];
  removed: [id: string];
  /** A container has a process now, or one that has is on other networks of the engine now. */
  started: [engine: Engine, container: EngineContainer];
  /** An engine's events are heard from now on: what happened before may have been missed. */
  connected: [engine: Engine];
}

/** Finds containers: named network namespaces, processes, and what the engines of this host run. */
export class Containers extends EventEmitter<ContainersEvents> {
  readonly #engines = new Map(engineSockets().map((path) => [path, new Engine(path)]));
  readonly #watches = new Map<Engine, AbortController>();

  /**
   * Finds what a user means by `container:NAME`, `netns:NAME`, `pid:ID`, a path, or a name alone, which may be of any kind. Rejects with
   * `no-such-container`, `container-stopped`, `ambiguous-target`, and what `resolveNamespace` rejects with.
   */
  async resolve(target: string): Promise<Found> {
    const { kind, name } = parseTarget(target);
    if (kind === 'any') return await this.#meant(name);
    if (kind !== 'container') return await byNamespace(target);
    const found = await this.#find(name);
    if (found === undefined) throw noSuchContainer(name);
    return await this.#labelled(name, ...found);
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
    if (found.pid === undefined) return { state: 'stopped', name: found.name };
    return { state: 'running', container: await running(target, found, path) };
  }

  /** Watches all engines that this host may have, and not only those of containers that somebody asked for. Gives them. */
  watchAll(): readonly Engine[] {
    const engines = [...this.#engines.values()];
    for (const engine of engines) this.#watch(engine);
    return engines;
  }

  /** Stops watching. */
  stop(): void {
    for (const watch of this.#watches.values()) watch.abort();
    this.#watches.clear();
  }

  /** The only thing of that name. A process or a namespace whose name some container's id happens to begin with is meant itself. */
  async #meant(name: string): Promise<Found> {
    const ways = /^\d+$/.test(name) ? [`pid:${name}`, `netns:${name}`] : [`netns:${name}`];
    const looks = await Promise.allSettled(ways.map(byNamespace));
    const spaces = looks.flatMap((look) => (look.status === 'fulfilled' ? [look.value] : []));
    const found = await this.#find(name).catch((error: unknown) => {
      if (spaces.length === 0) throw error;
      return undefined;
    });
    const isContainer = found !== undefined && (spaces.length === 0 || isExactly(name, found[0]));
    const meanings = [
      ...ways.filter((_, i) => looks[i]?.status === 'fulfilled'),
      ...(isContainer ? [`container:${name}`] : []),
    ];
    if (meanings.length > 1) {
      const container =
        isContainer && found[0].pid !== undefined ? await this.#labelled(name, ...found) : undefined;
      const isOne = spaces.every(({ namespace }) => namespace.inode === container?.namespace.inode);
      if (container !== undefined && isOne) return container;
      throw ambiguous(
        name,
        meanings.map((meaning) => parseTarget(meaning).kind),
      );
    }
    if (isContainer) return await this.#labelled(name, ...found);
    const [space] = spaces;
    if (space !== undefined) return space;
    const refusal = looks.find((look) => look.status === 'rejected' && !isAbsence(look.reason));
    throw refusal?.status === 'rejected' ? refusal.reason : noSuchContainer(name);
  }

  async #labelled(target: string, found: EngineContainer, path: string): Promise<Found> {
    const container = await running(target, found, path);
    return { ...container, labels: await carriedLabels(this.#engine(path), found) };
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
        if (engine.isHere) for await (const event of engine.events(signal)) void this.#tell(engine, event);
      } catch {
        // it ended, or speaks nonsense: what happens meanwhile is seen at the next `connected`
      }
      await delay(RETRY, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #tell(engine: Engine, event: EngineEvent): Promise<void> {
    if (event.kind === 'removed') this.emit('removed', event.id);
    else if (event.kind === 'connected') {
      this.emit('changed', undefined);
      this.emit('connected', engine);
    } else {
      const started = await startedBy(engine, event);
      this.emit('changed', event.id);
      if (started !== undefined) this.emit('started', engine, started);
    }
  }
}

/** What a target can be the name of; `any` for one without a prefix. */
export type TargetKind = 'container' | 'netns' | 'pid' | 'path' | 'any';

const KINDS: Readonly<Record<TargetKind, string>> = {
  container: 'a container',
  netns: 'a network namespace',
  pid: 'a process',
  path: 'a path',
  any: 'something',
};

/** Takes the prefix off that says what kind of thing a name is of. */
export function parseTarget(target: string): { readonly kind: TargetKind; readonly name: string } {
  const [, kind, name] = /^(container|netns|pid):(.+)$/.exec(target) ?? [];
  if (name !== undefined) return { kind: kind as TargetKind, name };
  return { kind: target.startsWith('/') ? 'path' : 'any', name: target };
}

/** A name that means several things. */
export function ambiguous(name: string, kinds: readonly TargetKind[]): WeftError {
  const what = kinds.map((kind) => KINDS[kind]).join(' and ');
  const ways = kinds.map((kind) => `${kind}:${name}`).join(' or ');
  return new WeftError('ambiguous-target', `"${name}" is the name of ${what}: say ${ways}`);
}

async function byNamespace(target: string): Promise<Found> {
  return named(canonicalTarget(target), await resolveNamespace(target));
}

/** By its name, or by as much of its id as engines show. */
function isExactly(text: string, { id, name }: EngineContainer): boolean {
  return name === text || (text.length >= SHORT_ID && id.startsWith(text));
}

function isAbsence(error: unknown): boolean {
  return systemCode(error) === 'no-such-namespace';
}

function noSuchContainer(name: string): WeftError {
  return new WeftError(
    'no-such-container',
    `there is no container, network namespace or process "${name}": \`docker ps\` and \`ip netns list\` show what there is`,
  );
}

/** Before a container starts it joins its networks, and it leaves them once it has ended: that is told with its start, or not at all. */
async function startedBy(engine: Engine, event: EngineEvent): Promise<EngineContainer | undefined> {
  if (event.kind === 'started') return await withProcess(engine, event.id);
  if (event.kind !== 'joined' && event.kind !== 'left') return undefined;
  const found = await engine.inspect(event.id).catch(() => undefined);
  return found?.pid !== undefined && (found.startedAt ?? 0) < event.at ? found : undefined;
}

/** The event may come before the engine knows the process, or when it has ended already. */
async function withProcess(engine: Engine, id: string): Promise<EngineContainer | undefined> {
  for (let waited = 0; waited < PROCESS_KNOWN; waited += PROCESS_POLL) {
    const found = await engine.inspect(id).catch(() => 'unknown' as const);
    if (found !== 'unknown') {
      if (found === undefined || found.hasEnded) return undefined;
      if (found.pid !== undefined) return found;
    }
    await delay(PROCESS_POLL);
  }
  return undefined;
}

function unlessAbsent(error: unknown): 'absent' {
  if (systemCode(error) === 'engine-absent') return 'absent';
  throw error;
}

function named(target: string, namespace: Namespace): Found {
  const isName = !target.startsWith('/') && !/^\d+$/.test(target);
  const name = isName ? parseTarget(target).name : null;
  return { id: target, target, name, hostname: null, namespace, engine: null, labels: {} };
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

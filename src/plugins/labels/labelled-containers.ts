import type { AttachRequest } from '../../api/index.js';
import { type Engine, type EngineContainer, eachContainer } from '../../engine/index.js';
import { systemCode } from '../../errors.js';
import { ATTACH, ownLabels, requestOf } from './labels.js';

/** Where the daemon hears of containers. */
export interface EngineWatch {
  /** A container has a process now. */
  on(event: 'started', listener: (engine: Engine, container: EngineContainer) => void): unknown;
  /** An engine's events are heard from now on: what happened before may have been missed. */
  on(event: 'connected', listener: (engine: Engine) => void): unknown;
  /** Watches all engines that this host may have. */
  watchAll(): Iterable<Engine>;
}

/** What is asked of the daemon. */
export interface LabelledContainersOptions {
  readonly isAttached: (id: string) => boolean;
  readonly attach: (request: AttachRequest) => Promise<unknown>;
  /** A container is not attached though its labels say so. */
  readonly onFailure: (container: string, error: unknown) => void;
}

/**
 * Attaches containers whose labels say so when they start, and those that started while nobody looked. One that is attached already, by its
 * labels or by hand, is left as it is: the daemon itself follows it from then on.
 */
export class LabelledContainers {
  readonly #options: LabelledContainersOptions;

  constructor(options: LabelledContainersOptions) {
    this.#options = options;
  }

  /** From now on; what runs already is looked for. */
  follow(engines: EngineWatch): void {
    engines.on('started', (engine, container) => void this.#started(engine, container));
    engines.on('connected', (engine) => void this.#look(engine));
    for (const engine of engines.watchAll()) void this.#look(engine);
  }

  /** All that run in an engine; it may have started some while its events were not heard. */
  async #look(engine: Engine): Promise<void> {
    try {
      const labelled = await engine.running(ATTACH);
      await eachContainer(engine, labelled, (container) => this.#started(engine, container));
    } catch (error) {
      // An engine that is absent tells when it is there.
      if (systemCode(error) !== 'engine-absent') this.#options.onFailure('some container', error);
    }
  }

  /** Resolves when the container is attached, if it is to be. */
  async #started(engine: Engine, container: EngineContainer): Promise<void> {
    const { isAttached, attach, onFailure } = this.#options;
    const { id, name, image, labels } = container;
    if (labels[ATTACH] === undefined || isAttached(id)) return;
    try {
      const request = requestOf(id, ownLabels(labels, await engine.imageLabels(image)));
      if (request !== undefined) await attach(request);
    } catch (error) {
      onFailure(name, error);
    }
  }
}

import type { AttachRequest } from '../../api/index.js';
import type { Engine, EngineContainer } from '../../engine/index.js';
import { inParallel } from '../../order.js';
import { ATTACH, ownLabels, requestOf } from './labels.js';

/** Maximum number of containers that are attached at the same time when many are found. */
const AT_ONCE = 4;

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
  /** From now on something is attached; what was heard before is caught up on. */
  begin: () => void = () => {};
  readonly #begun = new Promise<void>((resolve) => {
    this.begin = resolve;
  });

  constructor(options: LabelledContainersOptions) {
    this.#options = options;
  }

  /** All that run in an engine; it may have started some while its events were not heard. */
  async look(engine: Engine): Promise<void> {
    await this.#begun;
    try {
      await inParallel(await engine.running(ATTACH), AT_ONCE, async (id) => {
        const container = await engine.inspect(id);
        if (container !== undefined) await this.started(engine, container);
      });
    } catch (error) {
      this.#options.onFailure('some container', error);
    }
  }

  /** Resolves when the container is attached, if it is to be. */
  async started(engine: Engine, container: EngineContainer): Promise<void> {
    const { isAttached, attach, onFailure } = this.#options;
    const { id, name, image, labels } = container;
    await this.#begun;
    if (labels[ATTACH] === undefined || isAttached(id)) return;
    try {
      const request = requestOf(id, ownLabels(labels, await engine.imageLabels(image)));
      if (request !== undefined) await attach(request);
    } catch (error) {
      onFailure(name, error);
    }
  }
}

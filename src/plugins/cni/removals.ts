import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import Type from 'typebox';
import { systemCode } from '../../errors.js';
import { Serial } from '../../order.js';
import { validator } from '../../validate.js';
import { interfaceId } from './wishes.js';

/** Most of them that are looked at at a time; the program that notes them has the same limit. */
const MAX_NOTES = 4_096;

const Note = Type.Object({ network: Type.String(), container: Type.String(), interface: Type.String() });
const parse = validator('file-corrupt', 'it', Note);

export interface RemovalsOptions {
  /** Where `weft-cni` notes them, a file each. */
  readonly directory: string;
  readonly remove: (id: string) => Promise<void>;
  readonly onFailure: (what: string, error: unknown) => void;
}

/** What runtimes wanted to be removed while nobody answered: noted by `weft-cni`, which told them that it is done. */
export class Removals {
  readonly #options: RemovalsOptions;
  readonly #work = new Serial();

  constructor(options: RemovalsOptions) {
    this.#options = options;
  }

  /** Does what is noted. Resolves when what was noted before is done. */
  settle(): Promise<void> {
    return this.#work.run(async () => {
      const { directory, onFailure } = this.#options;
      const names = await readdir(directory).catch((error: unknown) => {
        if (systemCode(error) !== 'ENOENT') onFailure('what containers had is not known', error);
        return [];
      });
      const notes = names.filter((name) => name.endsWith('.json')).slice(0, MAX_NOTES);
      for (const name of notes) await this.#do(join(directory, name));
    });
  }

  async #do(path: string): Promise<void> {
    const { remove, onFailure } = this.#options;
    try {
      const { network, container, interface: inside } = parse(JSON.parse(await readFile(path, 'utf8')));
      await remove(interfaceId(network, container, inside));
    } catch (error) {
      onFailure(`what ${path} notes is not removed`, error);
    }
    await rm(path, { force: true });
  }
}

/** Which hooks there are, and whether root may run them. */
import { constants } from 'node:fs';
import { access, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../../errors.js';

/** Maximum number of hooks; the first by name count. */
const MAX_HOOKS = 32;
/** How long what was read is good for, in milliseconds. */
const FRESH = 1_000;
/** Group and others may write. */
const WRITABLE = 0o022;
const STICKY = 0o1000;

export interface HookFiles {
  /** Paths of those that can be run, by name. */
  readonly hooks: readonly string[];
  /** Why others cannot, in sentences. */
  readonly flaws: readonly string[];
}

const NONE: HookFiles = { hooks: [], flaws: [] };

/** A directory of hooks, read again when it is asked for a while later. */
export class HookDirectory {
  readonly #path: string;
  readonly #now: () => number;
  #readAt = -Infinity;
  #files: Promise<HookFiles> = Promise.resolve(NONE);

  constructor(path: string, now: () => number) {
    this.#path = path;
    this.#now = now;
  }

  list(): Promise<HookFiles> {
    if (this.#now() - this.#readAt < FRESH) return this.#files;
    this.#readAt = this.#now();
    this.#files = readHooks(this.#path);
    return this.#files;
  }
}

async function readHooks(directory: string): Promise<HookFiles> {
  try {
    const flaw = await flawOf(directory, 'directory');
    if (flaw !== undefined) return { hooks: [], flaws: [flaw] };
    const entries = await readdir(directory, { withFileTypes: true });
    const files = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'));
    const names = files.map(({ name }) => name).sort();
    const paths = names.slice(0, MAX_HOOKS).map((name) => join(directory, name));
    const flaws = await Promise.all(paths.map((path) => flawOf(path, 'hook')));
    const surplus =
      names.length > MAX_HOOKS
        ? [`${directory} has more than ${MAX_HOOKS} hooks: the others do not run`]
        : [];
    return {
      hooks: paths.filter((_, i) => flaws[i] === undefined),
      flaws: [...flaws.filter((found) => found !== undefined), ...surplus],
    };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return NONE;
    return { hooks: [], flaws: [`the hooks in ${directory} cannot be read: ${String(error)}`] };
  }
}

/** Why something is not used: whoever may change it could have root run what they like. Undefined for what is fine, or gone. */
async function flawOf(path: string, what: 'directory' | 'hook'): Promise<string | undefined> {
  try {
    const real = await realpath(path);
    if ((await look(real)).isWrong) return refusal(path, real);
    for (let above = dirname(real); ; above = dirname(above)) {
      const { isWrong, mode } = await look(above);
      if (isWrong && (mode.mode & STICKY) === 0) return refusal(path, above);
      if (above === dirname(above)) break;
    }
    if (what === 'hook') await access(real, constants.X_OK);
    return undefined;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return undefined;
    if (code === 'EACCES') return `the hook ${path} is not executable: \`chmod 755\` makes it so`;
    throw error;
  }
}

async function look(path: string) {
  const mode = await stat(path);
  const isOwn = mode.uid === 0 || mode.uid === process.getuid?.();
  return { mode, isWrong: !isOwn || (mode.mode & WRITABLE) !== 0 };
}

function refusal(path: string, where: string): string {
  const whose = path === where ? path : `${path}, for ${where}`;
  return `hooks are not run from ${whose}: others than root may write there (\`chown root\`, \`chmod go-w\`)`;
}

import { constants, watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WeftError } from '../../../errors.js';
import type { Snapshot, Source, SourceContext } from '../source.js';
import { LARGEST_ANSWER, targetLines } from '../targets.js';

/** The file is read so often, in milliseconds, whatever the watch tells: that may miss a directory that was replaced. */
const EVERY = 10_000;

/**
 * The lines of a file. Its directory is watched and not itself: it may be replaced, or be a link that is turned elsewhere.
 */
export function fileSource(name: string, path: string, { pause }: SourceContext): Source {
  async function* follow(signal: AbortSignal): AsyncGenerator<Snapshot> {
    let known: string | undefined;
    while (!signal.aborted) {
      const changed = new AbortController();
      const stop = watchDirectory(path, () => changed.abort());
      try {
        const text = await readRegularFile(path);
        if (text !== known) yield { targets: targetLines(text), whole: true };
        known = text;
        await pause(EVERY, AbortSignal.any([signal, changed.signal]));
      } finally {
        stop();
      }
    }
  }
  return { name, follow };
}

/** Where there is nothing to watch, the file is read in time all the same. */
function watchDirectory(path: string, onChange: () => void): () => void {
  try {
    const watcher = watch(dirname(path), onChange);
    watcher.on('error', () => {});
    return () => watcher.close();
  } catch {
    return () => {};
  }
}

async function readRegularFile(path: string): Promise<string> {
  // Opening a named pipe would wait for whoever writes it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new WeftError('source-failed', `${path} is no file`);
    if (facts.size > LARGEST_ANSWER)
      throw new WeftError('source-failed', `${path} is larger than ${LARGEST_ANSWER} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

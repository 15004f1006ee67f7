/**
 * What a command is connected to may go away while it works: the reader of a pipe, the room on a disk, the terminal. Here it is decided what
 * becomes of the command then.
 */
import { fstatSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { getSystemErrorMap } from 'node:util';
import { systemCode, WeftError } from '../../errors.js';

const [STDIN, STDOUT, STDERR] = [0, 1, 2] as const;

/** To be called once, before anything is written. */
export function watchStreams(): void {
  process.stdout.on('error', () => {}); // `write` says so to whoever called it
  process.stderr.on('error', (error) => {
    if (systemCode(error) === 'EIO') hangUp(); // else there is nowhere left to say it
  });
  const terminals = [STDIN, STDOUT, STDERR].filter((descriptor) => isatty(descriptor));
  process.on('exit', () => {
    // Node would abort with a stack: it wants to set terminals back to how it found them.
    if (terminals.some((descriptor) => !isatty(descriptor))) hangUp();
  });
}

/**
 * Writes to stdout, and resolves once all of it is taken. Rejects with `no-reader` when nobody reads on, and with `output-failed` for any
 * other reason, such as a full disk. Does not return when stdout was a terminal that is gone.
 */
export async function write(text: string): Promise<void> {
  if (text === '') return;
  const target = fstatSync(STDOUT);
  try {
    if (target.isFile()) writeFile(text);
    else await writeStream(text);
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (code === 'EPIPE' || code === 'ECONNRESET') {
      throw new WeftError('no-reader', 'nobody reads what is written to stdout', { cause: error });
    }
    if (code === 'EIO' && target.isCharacterDevice()) hangUp();
    throw new WeftError('output-failed', `the answer cannot be written to stdout (${describe(error)})`, {
      cause: error,
    });
  }
}

/** Node takes a write of which the disk took a part for a complete one. */
function writeFile(text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) done += writeSync(STDOUT, bytes, done);
}

function writeStream(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** In the system's own words: `ENOSPC, no space left on device`. */
function describe(error: unknown): string {
  const known = [...getSystemErrorMap().values()].find(([code]) => code === systemCode(error));
  return known?.join(', ') ?? String(error);
}

/** Ends as those do whose controlling terminal it was: the kernel tells nobody else. */
function hangUp(): void {
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}

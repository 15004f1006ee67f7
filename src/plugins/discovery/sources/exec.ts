import { spawn } from 'node:child_process';
import { messageOf, WeftError } from '../../../errors.js';
import { killGroup } from '../../../process-group.js';
import { loggable } from '../../../text/index.js';
import { lookAgain, type Snapshot, type Source, type SourceContext } from '../source.js';
import { targetLines } from '../targets.js';

/** The program is run so often, in milliseconds after it ended. */
const EVERY = 30_000;
/** It is killed after so long, in milliseconds. */
const TIMEOUT = 20_000;
/** It may print so much, in bytes: a thousand names of the greatest length. */
const LARGEST_OUTPUT = 256 << 10;
/** Once it ended, what it printed is read within so long, in milliseconds. */
const LAST_WORDS = 1_000;

/** What a program prints, a target on each line. It runs in a process group of its own, of which nothing is left when it ends. */
export function execSource(
  name: string,
  program: string,
  { pause }: SourceContext,
  timeout = TIMEOUT,
): Source {
  const look = async (signal: AbortSignal): Promise<Snapshot> => ({
    targets: targetLines(await outputOf(program, timeout, signal)),
    whole: true,
  });
  return { name, follow: (signal) => lookAgain(look, EVERY, pause, signal) };
}

/** One run of the program. */
class Run {
  readonly #child;
  readonly #printed = { stdout: '', stderr: '' };
  #size = 0;
  /** Why it was killed. */
  #killedBecause: string | undefined;

  constructor(program: string) {
    this.#child = spawn(program, [], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const name of ['stdout', 'stderr'] as const)
      this.#child[name].setEncoding('utf8').on('data', (text: string) => this.#collect(name, text));
  }

  kill(reason: string): void {
    this.#killedBecause ??= reason;
    killGroup(this.#child);
  }

  /** Resolves with what it printed, rejects with why that is of no use. */
  output(): Promise<string> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      child.on('error', ({ message }) => this.kill(message));
      child.on('exit', () => {
        killGroup(child); // what it started may hold its output open
        setTimeout(() => [child.stdout, child.stderr].map((pipe) => pipe.destroy()), LAST_WORDS).unref();
      });
      child.on('close', (code, signal) => {
        const how = signal === null ? `exit code ${code}` : `it was ended by ${signal}`;
        const said = loggable(this.#printed.stderr.trim());
        if (code === 0 && this.#killedBecause === undefined) resolve(this.#printed.stdout);
        else reject(new Error(this.#killedBecause ?? (said === '' ? how : `${how}: ${said}`)));
      });
    });
  }

  #collect(name: 'stdout' | 'stderr', text: string): void {
    this.#size += text.length;
    if (this.#size > LARGEST_OUTPUT) this.kill(`it printed more than ${LARGEST_OUTPUT} bytes`);
    else this.#printed[name] += text;
  }
}

async function outputOf(program: string, timeout: number, signal: AbortSignal): Promise<string> {
  const run = new Run(program);
  const late = setTimeout(() => run.kill(`it did not end within ${timeout / 1000} s`), timeout);
  const stop = () => run.kill('the router stops');
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await run.output();
  } catch (error) {
    throw new WeftError('source-failed', `${program}: ${messageOf(error)}`, { cause: error });
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', stop);
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { systemCode } from '../../errors.js';
import { killGroup } from '../../process-group.js';

/** Maximum number of lines that one run may have logged, and of their characters. */
const MAX_LINES = 16;
const MAX_LINE = 256;

export interface HookRun {
  readonly path: string;
  readonly input: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly limit: number;
}

export interface HookResult {
  /** Why it failed, after its name; undefined when it did not, or is not there any more. */
  readonly failure: string | undefined;
  /** What it printed, as far as that is kept. */
  readonly lines: readonly string[];
}

/** A hook that runs. */
export interface RunningHook {
  readonly result: Promise<HookResult>;
  /** Ends it, with all that it started in its process group. */
  kill(): void;
}

/** Runs a file, with no arguments and no shell, in a process group of its own. */
export function runHook({ path, input, environment, limit }: HookRun): RunningHook {
  let child: ChildProcess;
  try {
    child = spawn(path, [], { cwd: '/', env: { ...environment }, detached: true, stdio: 'pipe' });
  } catch (error) {
    return { result: Promise.resolve({ failure: startFailure(error), lines: [] }), kill: () => {} };
  }
  const kill = () => killGroup(child);
  return { result: resultOf(child, input, limit), kill };
}

async function resultOf(child: ChildProcess, input: string, limit: number): Promise<HookResult> {
  const lines = linesOf([child.stdout, child.stderr]);
  child.stdin?.on('error', () => {}); // it need not read
  child.stdin?.end(input);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    killGroup(child);
  }, limit);
  const failure = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(startFailure(error)));
    child.once('exit', (code, signal) => resolve(exitFailure(code, signal)));
  });
  clearTimeout(timer);
  killGroup(child); // what it left behind
  child.stdout?.destroy();
  child.stderr?.destroy();
  return {
    failure: isLate ? `did not end within ${limit / 1000} s, and was killed` : failure,
    lines: lines(),
  };
}

function exitFailure(code: number | null, signal: string | null): string | undefined {
  if (code === 0) return undefined;
  return code === null ? `was ended by ${signal}` : `failed with exit code ${code}`;
}

function startFailure(error: unknown): string | undefined {
  const code = systemCode(error);
  if (code === 'ENOENT') return undefined; // somebody took it away
  if (code === 'ENOEXEC') return 'cannot be started: it is no program, nor a script that begins with #!';
  return `cannot be started (${code ?? String(error)})`;
}

/** Keeps the beginning of what is printed, and reads on, so that whoever prints is not held up. */
function linesOf(outputs: readonly (Readable | null)[]): () => string[] {
  const kept = outputs.map(() => '');
  outputs.forEach((output, i) => {
    output?.setEncoding('utf8').on('data', (text: string) => {
      kept[i] = `${kept[i]}${text}`.slice(0, MAX_LINES * MAX_LINE);
    });
  });
  return () => {
    const lines = kept.flatMap((text) => text.split('\n').filter((line) => line.trim() !== ''));
    return lines.slice(0, MAX_LINES).map((line) => line.slice(0, MAX_LINE));
  };
}

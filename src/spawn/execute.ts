import { type Ending, type Spawned, Spawner } from './spawner.js';

/** All that this process starts is started by one program. */
export const spawner = new Spawner();

export interface ExecuteOptions {
  /** All that is on its stdin. Without it the input stays open until `heard` ends it. */
  readonly input?: string;
  /** All that it finds in its environment; by default what we had when the first command was started. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Milliseconds after which it is killed. */
  readonly timeout: number;
  /** Bytes on each of its outputs after which it is killed. */
  readonly longest: number;
  /** Is told what it prints to stdout, piece by piece. */
  readonly heard?: (piece: Buffer, command: Spawned) => void;
}

export interface Executed {
  readonly ending: Ending;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command without a shell to its end, whatever that is. Rejects with `program-missing`. */
export async function execute(command: readonly string[], options: ExecuteOptions): Promise<Executed> {
  const { input, environment, timeout, longest, heard } = options;
  const [stdout, stderr] = [new Output(longest), new Output(longest)];
  const listener = {
    output: (piece: Buffer) => {
      if (!stdout.add(piece)) spawned.kill('SIGKILL');
      heard?.(piece, spawned);
    },
    errorOutput: (piece: Buffer) => {
      if (!stderr.add(piece)) spawned.kill('SIGKILL');
    },
  };
  const spawned = spawner.start(command, listener, environment);
  if (input !== undefined) {
    if (input !== '') spawned.write(input);
    spawned.end();
  }
  const timer = setTimeout(() => spawned.kill('SIGKILL'), timeout);
  const ending = await spawned.ended;
  clearTimeout(timer);
  return { ending, stdout: stdout.text, stderr: stderr.text };
}

/** What a command says, up to a limit. */
class Output {
  readonly #pieces: Buffer[] = [];
  readonly #limit: number;
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False when it is too much; the rest is dropped. */
  add(piece: Buffer): boolean {
    this.#size += piece.length;
    if (this.#size > this.#limit) return false;
    this.#pieces.push(piece);
    return true;
  }

  get text(): string {
    return Buffer.concat(this.#pieces).toString();
  }
}

/** An ending in words. */
export function describeEnding(ending: Ending): string {
  if (ending.kind === 'exit') return `exit code ${ending.code}`;
  return ending.kind === 'signal' ? `killed by ${ending.signal}` : ending.error;
}

import { ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { nativeProgram } from '../native-program.js';
import { encodeFrame, type Frame, FrameSplitter, KIND } from './frames.js';

/** How a command ended. `error`: it did not start, for this reason (`ENOENT`), or is out of sight (`EPIPE`). */
export type Ending =
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'error'; readonly error: string };

/** Who is told what a command says; pieces end anywhere. */
export interface Listener {
  output(piece: Buffer): void;
  errorOutput(piece: Buffer): void;
}

type Send = (kind: number, payload?: Buffer) => void;

/** A command that was asked for. */
export class Spawned {
  /** Resolves once it is gone, and all that it said was told. */
  readonly ended: Promise<Ending>;
  readonly #send: Send;
  readonly #listener: Listener;
  #pid: number | undefined;
  #end: (ending: Ending) => void = () => {};

  constructor(listener: Listener, send: Send) {
    this.#listener = listener;
    this.#send = send;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Known once it runs. */
  get pid(): number | undefined {
    return this.#pid;
  }

  write(bytes: string | Buffer): void {
    this.#send(KIND.input, Buffer.from(bytes));
  }

  /** Its input ends here. */
  end(): void {
    this.#send(KIND.endInput);
  }

  kill(signal: NodeJS.Signals): void {
    this.#send(KIND.signal, Buffer.from([constants.signals[signal]]));
  }

  /** Takes what weft-spawn tells of it. True when that was its end. */
  hear({ kind, payload }: Pick<Frame, 'kind' | 'payload'>): boolean {
    if (kind === KIND.started) this.#pid = payload.readUInt32BE();
    if (kind === KIND.output) this.#listener.output(payload);
    if (kind === KIND.errorOutput) this.#listener.errorOutput(payload);
    if (kind === KIND.ended) this.#end(endingOf(payload));
    if (kind === KIND.refused) this.fail(getSystemErrorName(-payload.readUInt32BE()));
    return kind === KIND.ended || kind === KIND.refused;
  }

  fail(error: string): void {
    this.#end({ kind: 'error', error });
  }
}

/**
 * Starts commands by way of weft-spawn. Starting a process copies the tables of its parent's memory and stops the parent meanwhile:
 * 8 to 12 ms for one of Node.js, and next to nothing for a small one, which is therefore asked to do it.
 *
 * The program is started with the first command, and anew after an accident. It keeps nobody from ending while no command runs.
 */
export class Spawner {
  readonly #running = new Map<number, Spawned>();
  #program: Program | undefined;
  #last = 0;

  /** `environment`: all that the command finds there; by default what we had when the first one was started. Throws `program-missing`. */
  start(
    command: readonly string[],
    listener: Listener,
    environment?: Readonly<Record<string, string>>,
  ): Spawned {
    const program = this.#program ?? this.#open();
    this.#last = (this.#last + 1) >>> 0;
    const id = this.#last;
    const spawned = new Spawned(listener, (kind, payload) => program.send(id, kind, payload));
    this.#running.set(id, spawned);
    program.hold(true);
    const entries = environment && Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    program.send(id, KIND.start, Buffer.from(JSON.stringify({ command, environment: entries })));
    return spawned;
  }

  #open(): Program {
    const program = new Program((frame) => this.#hear(frame));
    this.#program = program;
    program.ended.then(() => {
      this.#program = undefined;
      for (const spawned of this.#running.values()) spawned.fail('EPIPE');
      this.#running.clear();
    });
    return program;
  }

  #hear(frame: Frame): void {
    if (this.#running.get(frame.id)?.hear(frame) !== true) return;
    this.#running.delete(frame.id);
    if (this.#running.size === 0) this.#program?.hold(false);
  }
}

/** The process of weft-spawn. */
class Program {
  /** Resolves once it is gone, and what it said was read. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;

  constructor(hear: (frame: Frame) => void) {
    this.#child = spawn(nativeProgram('weft-spawn'), { stdio: ['pipe', 'pipe', 'inherit'] });
    const splitter = new FrameSplitter();
    this.#child.stdin?.on('error', () => {}); // it is gone: that is told
    this.#child.stdout?.on('data', (piece: Buffer) => {
      for (const frame of splitter.push(piece)) hear(frame);
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('error', () => resolve());
      this.#child.once('close', () => resolve());
    });
  }

  send(id: number, kind: number, payload?: Buffer): void {
    this.#child.stdin?.write(encodeFrame(id, kind, payload));
  }

  /** Whether our own process has to wait for it. */
  hold(isNeeded: boolean): void {
    const { stdin, stdout } = this.#child;
    for (const handle of [this.#child, stdin, stdout]) {
      if (!(handle instanceof ChildProcess || handle instanceof Socket)) continue;
      if (isNeeded) handle.ref();
      else handle.unref();
    }
  }
}

const SIGNALS = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

function endingOf(payload: Buffer): Ending {
  const [isKilled, code = 0] = payload;
  const signal = isKilled === 1 ? SIGNALS.get(code) : undefined;
  return isSignal(signal) ? { kind: 'signal', signal } : { kind: 'exit', code };
}

function isSignal(name: string | undefined): name is NodeJS.Signals {
  return name !== undefined && name in constants.signals;
}

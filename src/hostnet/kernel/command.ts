import { type ChildProcess, execFile } from 'node:child_process';
import { systemCode, WeftError } from '../../errors.js';

const TIMEOUT = 10_000;
/** Of a command that waits for an answer of ours. */
const ANSWER_TIMEOUT = 30_000;
const MAX_OUTPUT = 16 * 1024 * 1024;
/** The package that a command is in, by Debian's names. */
const PACKAGES: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  bridge: 'iproute2',
  nsenter: 'util-linux',
  nft: 'nftables',
};

/** A command that ended with a failure; `stderr` is what it said, and `stdout` what it had done by then. */
export class CommandFailed extends WeftError {
  readonly stderr: string;
  readonly stdout: string;

  constructor(command: string, stderr: string, cause: unknown, stdout = '') {
    super('command-failed', `${command} failed: ${stderr || String(cause)}`, { cause });
    this.stderr = stderr;
    this.stdout = stdout;
  }
}

/**
 * Runs a command without a shell, `input` on its stdin, and gives its stdout. Rejects with `command-missing`, `no-privilege`
 * or a CommandFailed, which speak of it as `label`.
 */
export function run(command: string, args: readonly string[], input = '', label = command): Promise<string> {
  return new Promise((resolve, reject) => {
    start({ command, args, label, timeout: TIMEOUT, resolve, reject }).stdin?.end(input);
  });
}

/**
 * Runs a command that prints a line and then waits for one: `answer` makes it of the line printed. One process in place of two, since
 * starting one costs more than what it does. Rejects as `run` does, and with what `answer` rejects with.
 */
export function runWithAnswer(
  command: string,
  args: readonly string[],
  answer: (printed: string) => Promise<string>,
  label = command,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const { stdin, stdout } = start({ command, args, label, timeout: ANSWER_TIMEOUT, resolve, reject });
    let printed = '';
    stdout?.on('data', (text: string) => {
      const isWaiting = printed.includes('\n');
      printed += text;
      if (isWaiting || !printed.includes('\n')) return;
      answer(printed)
        .catch((error: unknown) => {
          reject(error);
          return '';
        })
        .then((line) => stdin?.end(`${line}\n`));
    });
  });
}

interface Start {
  readonly command: string;
  readonly args: readonly string[];
  readonly label: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly resolve: (stdout: string) => void;
  readonly reject: (error: WeftError) => void;
}

function start({ command, args, label, timeout, resolve, reject }: Start): ChildProcess {
  const child = execFile(command, args, { timeout, maxBuffer: MAX_OUTPUT }, (error, stdout, stderr) => {
    if (error === null) resolve(stdout);
    else reject(explain(command, label, stderr.trim(), error, stdout));
  });
  child.stdin?.on('error', () => {}); // it ended before it read all: its exit code tells
  return child;
}

export function packageOf(command: string): string {
  return PACKAGES[command] ?? command;
}

function explain(command: string, label: string, stderr: string, cause: Error, stdout: string): WeftError {
  if (systemCode(cause) === 'ENOENT') {
    const text = `the command ${command} is missing: install ${packageOf(command)}`;
    return new WeftError('command-missing', text, { cause });
  }
  if (/operation not permitted|permission denied/i.test(stderr)) {
    return new WeftError(
      'no-privilege',
      `${label} is not permitted (${firstLine(stderr)}): run weft as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN`,
      { cause },
    );
  }
  return new CommandFailed(label, firstLine(stderr), cause, stdout);
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

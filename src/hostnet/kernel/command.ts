import { execFile } from 'node:child_process';
import { systemCode, WeftError } from '../../errors.js';

const TIMEOUT = 10_000;
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
    const options = { timeout: TIMEOUT, maxBuffer: MAX_OUTPUT };
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(explain(command, label, stderr.trim(), error, stdout));
    });
    child.stdin?.on('error', () => {}); // it ended before it read all: its exit code tells
    child.stdin?.end(input);
  });
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

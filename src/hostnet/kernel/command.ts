import { WeftError } from '../../errors.js';
import { describeEnding, type Executed, execute, type Spawned } from '../../spawn/index.js';

const TIMEOUT = 10_000;
/** Of a command that waits for an answer of ours. */
const ANSWER_TIMEOUT = 30_000;
const MAX_OUTPUT = 16 * 1024 * 1024;
/** The package that a command is in, by Debian's names. */
const PACKAGES: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  bridge: 'iproute2',
  tc: 'iproute2',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  nft: 'nftables',
  ping: 'iputils-ping',
};

/** A command that ended with a failure; `stderr` is what it said, and `stdout` what it had done by then. */
export class CommandFailed extends WeftError {
  readonly stderr: string;
  readonly stdout: string;

  constructor(command: string, stderr: string, ending: string, stdout = '') {
    super('command-failed', `${command} failed: ${stderr || ending}`);
    this.stderr = stderr;
    this.stdout = stdout;
  }
}

/**
 * Runs a command without a shell, `input` on its stdin, and gives its stdout. Rejects with `command-missing`, `no-privilege`
 * or a CommandFailed, which speak of it as `label`.
 */
export async function run(
  command: string,
  args: readonly string[],
  input = '',
  label = command,
): Promise<string> {
  const executed = await execute([command, ...args], { input, timeout: TIMEOUT, longest: MAX_OUTPUT });
  return outputOf(command, label, executed);
}

/**
 * Runs a command that prints a line and then waits for one: `answer` makes it of the line printed. One process in place of two.
 * Rejects as `run` does, and with what `answer` rejects with.
 */
export async function runWithAnswer(
  command: string,
  args: readonly string[],
  answer: (printed: string) => Promise<string>,
  label = command,
): Promise<string> {
  let failure: { readonly error: unknown } | undefined;
  let printed = '';
  const heard = (piece: Buffer, spawned: Spawned) => {
    const isWaiting = printed.includes('\n');
    printed += piece.toString();
    if (isWaiting || !printed.includes('\n')) return;
    answer(printed)
      .catch((error: unknown) => {
        failure = { error };
        return '';
      })
      .then((line) => {
        spawned.write(`${line}\n`);
        spawned.end();
      });
  };
  const executed = await execute([command, ...args], { timeout: ANSWER_TIMEOUT, longest: MAX_OUTPUT, heard });
  if (failure !== undefined) throw failure.error;
  return outputOf(command, label, executed);
}

export function packageOf(command: string): string {
  return PACKAGES[command] ?? command;
}

function outputOf(command: string, label: string, { ending, stdout, stderr }: Executed): string {
  if (ending.kind === 'exit' && ending.code === 0) return stdout;
  if (ending.kind === 'error' && ending.error === 'ENOENT') {
    throw new WeftError(
      'command-missing',
      `the command ${command} is missing: install ${packageOf(command)}`,
    );
  }
  const said = firstLine(stderr.trim());
  if (/operation not permitted|permission denied/i.test(stderr)) {
    const text = `${label} is not permitted (${said}): run weft as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN; where it has these, a seccomp profile forbids it`;
    throw new WeftError('no-privilege', text);
  }
  throw new CommandFailed(label, said, describeEnding(ending), stdout);
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import Type, { type Static } from 'typebox';
import { messageOf, WeftError } from '../errors.js';
import { nativeProgram } from '../native-program.js';
import { describeEnding, execute } from '../spawn/index.js';
import { validator } from '../validate.js';

/** Milliseconds. The self-test of the offloads takes longest. */
const HELPER_TIMEOUT = 10_000;
const MAX_OUTPUT = 1024 * 1024;

/** Where the forwarder's program is: WEFT_FORWARDER, else where weft is. Throws `program-missing`. */
export function locateForwarder(): string {
  return nativeProgram('weft-forwarder', process.env.WEFT_FORWARDER);
}

export interface RunOptions {
  readonly binary: string;
  readonly controlPath: string;
  /** Its stderr is appended here. It keeps the file small itself: it lives longer than we do. */
  readonly logPath: string;
  readonly port: number;
  readonly workers?: number | undefined;
  /** From which packets leave, with `port`. */
  readonly udpPorts: number;
  readonly disabledOffloads: readonly string[];
  /** The pid of the forwarder whose port and socket it gets when that ends. It says on its stdout when it is prepared for that. */
  readonly predecessor?: number;
}

/** Starts a forwarder that outlives us. It holds nothing of ours but its log. */
export function spawnForwarder(options: RunOptions): ChildProcess {
  const log = openSync(options.logPath, 'a+', 0o600);
  try {
    return spawn(options.binary, runArguments(options), {
      cwd: '/',
      detached: true,
      stdio: ['ignore', options.predecessor === undefined ? 'ignore' : 'pipe', log],
    });
  } finally {
    closeSync(log);
  }
}

function runArguments(options: RunOptions): string[] {
  const { controlPath, port, workers, udpPorts, disabledOffloads, predecessor } = options;
  return [
    'run',
    ...['--control', controlPath],
    ...['--port', String(port)],
    ...(workers === undefined ? [] : ['--workers', String(workers)]),
    ...['--udp-ports', String(udpPorts)],
    ...disabledOffloads.flatMap((name) => ['--no-offload', name]),
    ...(predecessor === undefined ? [] : ['--after', String(predecessor)]),
  ];
}

export interface TapOptions {
  readonly binary: string;
  readonly controlPath: string;
  readonly network: number;
  readonly name: string;
  readonly queues: number;
}

/** Creates the TAP (if absent) and hands its queues to the running forwarder. Rejects with `tap-failed`. */
export async function openTap({ binary, controlPath, network, name, queues }: TapOptions): Promise<void> {
  const fields = ['--control', controlPath, '--network', network, '--name', name, '--queues', queues];
  try {
    await help([binary, 'open-tap', ...fields.map(String)]);
  } catch (error) {
    const why = messageOf(error);
    const remedy = why.includes('/dev/net/tun')
      ? ' (`modprobe tun`; in a container, give it the device /dev/net/tun)'
      : '';
    throw new WeftError('tap-failed', `the TAP device ${name} cannot be opened: ${why}${remedy}`, {
      cause: error,
    });
  }
}

export type KernelPathOptions = Omit<TapOptions, 'queues'>;

/** Opens a packet socket on the device and hands it to the running forwarder. Rejects with `kernel-path-failed`. */
export async function openKernelPath(options: KernelPathOptions): Promise<void> {
  const { binary, controlPath, network, name } = options;
  const fields = ['--control', controlPath, '--network', String(network), '--name', name];
  try {
    await help([binary, 'open-kernel-path', ...fields]);
  } catch (error) {
    throw new WeftError(
      'kernel-path-failed',
      `the kernel path through ${name} cannot be probed: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

export interface LearningOptions {
  readonly binary: string;
  readonly bridge: string;
  /** Most MACs that the bridge learns by itself. */
  readonly addresses: number;
}

/** Rejects with `bridge-unlimited`. */
export async function limitLearning({ binary, bridge, addresses }: LearningOptions): Promise<void> {
  const fields = ['--bridge', bridge, '--addresses', String(addresses)];
  try {
    await help([binary, 'limit-learning', ...fields]);
  } catch (error) {
    throw new WeftError(
      'bridge-unlimited',
      `the bridge ${bridge} cannot be told how much to learn: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

export interface StreamOptions {
  readonly binary: string;
  readonly controlPath: string;
  /** Short id of the peer at the other end, 16 hexadecimal digits. */
  readonly peer: string;
  /** Connected, and with nothing of the data plane read from it. */
  readonly socket: Socket;
}

/**
 * Hands a TCP connection to the running forwarder, as the stream of that peer. Our own copy is closed in any case, which ends the
 * connection if the forwarder did not take it. Rejects with `stream-failed`.
 */
export async function passStream({ binary, controlPath, peer, socket }: StreamOptions): Promise<void> {
  try {
    const helper = spawn(binary, ['pass-stream', '--control', controlPath, '--peer', peer], {
      stdio: [socket, 'ignore', 'pipe'],
      timeout: 5_000,
    });
    const [[code], complaint] = await Promise.all([once(helper, 'close'), text(helper.stderr)]);
    if (code !== 0) throw new Error(lastLine(complaint));
  } catch (error) {
    const reason = messageOf(error);
    throw new WeftError('stream-failed', `the TCP connection to ${peer} cannot be used for data: ${reason}`, {
      cause: error,
    });
  } finally {
    socket.destroy();
  }
}

const SelfTest = Type.Object({
  offloads: Type.Array(
    Type.Object({
      name: Type.String(),
      available: Type.Boolean(),
      reason: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    }),
  ),
});
export type SelfTestReport = Static<typeof SelfTest>;
const parseSelfTest = validator('forwarder-protocol', "the forwarder's self-test", SelfTest);

/** What this kernel offers to the forwarder. Rejects with `self-test-failed`. */
export async function selfTest(binary: string): Promise<SelfTestReport> {
  try {
    return parseSelfTest(JSON.parse(await help([binary, 'self-test', '--json'])));
  } catch (error) {
    throw new WeftError('self-test-failed', `the forwarder's self-test failed: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Runs the forwarder's program as a short-lived helper and gives what it printed. Rejects with the last line that it wrote to stderr. */
async function help(command: readonly string[]): Promise<string> {
  const { ending, stdout, stderr } = await execute(command, {
    input: '',
    timeout: HELPER_TIMEOUT,
    longest: MAX_OUTPUT,
  });
  if (ending.kind === 'exit' && ending.code === 0) return stdout;
  throw new Error(stderr.trim() === '' ? describeEnding(ending) : lastLine(stderr));
}

export function lastLine(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').replace(/^weft-forwarder: /, '');
}

import { once } from 'node:events';
import { open, readFile, stat, writeFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { fileError, systemCode, WeftError } from '../../errors.js';
import { runPaths } from './paths.js';

/** Held as long as its process lives. */
export interface Lock {
  /** Whether the directory is still the one that was locked: false once somebody removed or replaced it. */
  stands(): Promise<boolean>;
  release(): Promise<void>;
}

type Kind = 'run' | 'state';

const ADVICE =
  'use it, stop it with `weft stop`, or launch a second one with other --run-dir, --state-dir, --port and --bridge';

/**
 * Makes this process the only router of a run directory. The lock is an abstract unix socket, which the kernel frees when
 * its process ends, however it ends; the pid file beside it is for people and for the error message.
 * Rejects with `already-running`.
 */
export async function lockRunDir(runDir: string): Promise<Lock> {
  const lock = await lockDirectory('run', runDir);
  if (lock === undefined) throw await alreadyRunning(runDir);
  const { pid } = runPaths(runDir);
  await writeFile(pid, `${process.pid}\n`, { mode: 0o600 }).catch((error: unknown) => {
    throw fileError(`${pid} cannot be written`, error);
  });
  return lock;
}

/** Makes this process the only router of a state directory: two would be one peer. Rejects with `already-running`. */
export async function lockStateDir(stateDir: string): Promise<Lock> {
  const lock = await lockDirectory('state', stateDir);
  if (lock !== undefined) return lock;
  throw new WeftError(
    'already-running',
    `a router is running already, with another run directory, that has the state directory ${stateDir}: ${ADVICE}`,
  );
}

/** The pid of the router that holds the lock of a run directory; undefined when none does. */
export async function lockHolder(runDir: string): Promise<number | undefined> {
  const name = await lockName('run', runDir).catch(() => undefined);
  if (name === undefined || !(await answers(name))) return undefined;
  return readPid(runDir);
}

/** Undefined when another process has it. */
async function lockDirectory(kind: Kind, directory: string): Promise<Lock | undefined> {
  const held = await open(directory); // as long as it is open, no other directory gets its inode
  const name = await lockName(kind, directory);
  const server = createServer((connection) => connection.destroy());
  try {
    server.listen({ path: name });
    await once(server, 'listening');
  } catch (error) {
    await held.close();
    if (systemCode(error) === 'EADDRINUSE') return undefined;
    throw error;
  }
  server.unref();
  return {
    stands: async () => (await lockName(kind, directory).catch(() => undefined)) === name,
    release: async () => {
      server.close();
      await held.close();
    },
  };
}

async function lockName(kind: Kind, directory: string): Promise<string> {
  const { dev, ino } = await stat(directory);
  return `\0weft-${kind}:${dev}:${ino}`;
}

async function answers(name: string): Promise<boolean> {
  const socket = createConnection({ path: name });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function readPid(runDir: string): Promise<number | undefined> {
  const text = await readFile(runPaths(runDir).pid, 'utf8').catch(() => '');
  return /^\d+\n$/.test(text) ? Number(text) : undefined;
}

async function alreadyRunning(runDir: string): Promise<WeftError> {
  const pid = await readPid(runDir);
  return new WeftError(
    'already-running',
    `a router is running already (${pid === undefined ? 'starting' : `pid ${pid}`}) with the run directory ${runDir}: ${ADVICE}`,
  );
}

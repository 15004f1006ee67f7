import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { systemCode, WeftError } from '../errors.js';
import { runPaths } from './paths.js';

/** Held as long as its process lives. */
export interface Lock {
  release(): void;
}

/**
 * Makes this process the only router of a run directory. The lock is an abstract unix socket, which the kernel frees when
 * its process ends, however it ends; the pid file beside it is for people and for the error message.
 * Rejects with `already-running`.
 */
export async function lockRunDir(runDir: string): Promise<Lock> {
  const server = createServer((connection) => connection.destroy());
  try {
    server.listen({ path: await lockName(runDir) });
    await once(server, 'listening');
  } catch (error) {
    if (systemCode(error) === 'EADDRINUSE') throw await alreadyRunning(runDir);
    throw error;
  }
  server.unref();
  await writeFile(runPaths(runDir).pid, `${process.pid}\n`, { mode: 0o600 });
  return { release: () => release(server) };
}

/** The pid of the router that holds the lock of a run directory; undefined when none does. */
export async function lockHolder(runDir: string): Promise<number | undefined> {
  const name = await lockName(runDir).catch(() => undefined);
  if (name === undefined || !(await answers(name))) return undefined;
  return readPid(runDir);
}

async function lockName(runDir: string): Promise<string> {
  const { dev, ino } = await stat(runDir);
  return `\0weft-router:${dev}:${ino}`;
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
    `a router is running already (${pid === undefined ? 'starting' : `pid ${pid}`}) with the run directory ${runDir}: use it, stop it with \`weft stop\`, or launch a second one with other --run-dir, --state-dir, --port and --bridge`,
  );
}

function release(server: Server): void {
  server.close();
}

/** The files of a running router. */
import { mkdir } from 'node:fs/promises';
import Type, { type Static } from 'typebox';
import { fileError, WeftError } from '../../errors.js';
import { readPrivateJson, writePrivateJson } from '../../identity/index.js';
import { validator } from '../../validate.js';
import { runPaths } from './paths.js';
import { removeFiles } from './state-files.js';

/** The kernel's limit for the path of a unix socket. */
const MAX_SOCKET_PATH = 107;

/** Throws `bad-directory` for a run directory whose path leaves no room for the names of sockets. */
export function checkRunDir(runDir: string): void {
  const { forwarder } = runPaths(runDir);
  if (Buffer.byteLength(forwarder) <= MAX_SOCKET_PATH) return;
  throw new WeftError(
    'bad-directory',
    `the path of the run directory is too long for the sockets in it (${forwarder}): choose a shorter one with --run-dir`,
  );
}

/** Makes a directory of a router if there is none. Rejects with `no-privilege`, `disk-full` or `bad-directory`. */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw fileError(`the directory ${path} cannot be made`, error);
  });
}

const OURS =
  /^(weft\.sock|forwarder\.sock|(forwarder|daemon)\.log(\.1)?|daemon\.pid|(router|witness)\.json(\.\d+)?)$/;

/** Removes what a router left in its run directory, and the directory if nothing else is in it. */
export async function removeRunFiles(runDir: string): Promise<void> {
  await removeFiles(runDir, (name) => OURS.test(name));
}

const RunNote = Type.Object({ peer: Type.String(), bridge: Type.String() });
/** Whose interfaces to remove when the router was killed. */
export type RunNote = Static<typeof RunNote>;
const parseRunNote = validator('file-corrupt', 'router.json', RunNote);

export async function writeRunNote(runDir: string, note: RunNote): Promise<void> {
  await writePrivateJson(runPaths(runDir).note, note);
}

/** Undefined when no router ran here, or what it noted cannot be read. */
export async function readRunNote(runDir: string): Promise<RunNote | undefined> {
  try {
    return parseRunNote(await readPrivateJson(runPaths(runDir).note));
  } catch {
    return undefined;
  }
}

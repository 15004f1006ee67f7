import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandTree, completions } from '../../../scripts/reference/index.js';
import { packageRoot } from '../../../src/version.js';

/** Whether this machine has a program. */
export function hasProgram(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined;
}

/** Puts the completions into a directory, and what they need of an installed weft: a command that notes how it is called in `started`. */
export async function installCompletions(directory: string): Promise<void> {
  for (const [name, text] of Object.entries(completions(await commandTree())))
    await writeFile(join(directory, name), text);
  await mkdir(join(directory, 'lib/bin'), { recursive: true });
  await mkdir(join(directory, 'bin'));
  await copyFile(join(packageRoot(), 'build/native/weft-words'), join(directory, 'lib/bin/weft-words'));
  await writeFile(join(directory, 'lib/bin/weft'), '#!/bin/sh\necho "$@" >>started\n', { mode: 0o755 });
  await symlink('../lib/bin/weft', join(directory, 'bin/weft'));
}

/** What a shell needs to find that weft, and the router of a run directory. */
export function environmentOf(installed: string, runDirectory: string): Record<string, string> {
  return { PATH: `${join(installed, 'bin')}:${process.env.PATH}`, WEFT_RUN_DIR: runDirectory };
}

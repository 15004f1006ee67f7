import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { WeftError } from '../errors.js';
import { packageRoot } from '../version.js';

/** What `scripts/install` put outside its library, a path below the prefix on each line. */
const INSTALLED = 'installed';
const DEBIAN_PACKAGE = 'weft';
const STDERR = 2;

/** How this weft came onto the host. */
export type Installation =
  | { readonly kind: 'debian' }
  /** By `make install`. */
  | { readonly kind: 'prefix'; readonly library: string; readonly files: readonly string[] }
  /** By npm, or a source tree: somebody else's to remove. */
  | { readonly kind: 'foreign'; readonly remedy: string };

export async function installation(): Promise<Installation> {
  const root = packageRoot();
  const list = join(root, INSTALLED);
  if (await isOfPackage(join(root, 'package.json'))) return { kind: 'debian' };
  if (existsSync(list)) {
    const prefix = dirname(dirname(root));
    const files = readFileSync(list, 'utf8').split('\n').filter(Boolean);
    return { kind: 'prefix', library: root, files: files.map((file) => join(prefix, file)) };
  }
  const remedy = root.includes('/node_modules/')
    ? `remove the program where it was installed: \`npm uninstall weft-router\`, with -g if that was global`
    : `the program in ${root} stays: delete it by hand`;
  return { kind: 'foreign', remedy };
}

/** Removes the program that runs. Gives what is left to do, if anything. Rejects with `not-uninstalled`. */
export async function removeProgram(found: Installation): Promise<string | null> {
  if (found.kind === 'foreign') return found.remedy;
  if (found.kind === 'debian') {
    if ((await exitOf('dpkg', ['--purge', DEBIAN_PACKAGE])) === 0) return null;
    throw new WeftError(
      'not-uninstalled',
      `dpkg has not removed the package: see what it says above, then \`apt-get purge ${DEBIAN_PACKAGE}\``,
    );
  }
  for (const file of found.files) await rm(file, { force: true });
  await rm(found.library, { recursive: true, force: true });
  return null;
}

async function isOfPackage(path: string): Promise<boolean> {
  return (await exitOf('dpkg-query', ['--search', path], 'ignore')) === 0;
}

/** The exit code of a program, which may write to our stderr; null where there is no such program. */
async function exitOf(
  command: string,
  args: readonly string[],
  output: typeof STDERR | 'ignore' = STDERR,
): Promise<number | null> {
  const child = spawn(command, args, { stdio: ['ignore', output, output] });
  const failed = once(child, 'error').then(() => null);
  const ended = once(child, 'exit').then(([code]) => (typeof code === 'number' ? code : null));
  return await Promise.race([failed, ended]);
}

/** Has systemd start the router no more. Does nothing where there is no systemd, or no unit. */
export async function disableService(): Promise<void> {
  if (existsSync('/run/systemd/system')) await exitOf('systemctl', ['disable', 'weft.service'], 'ignore');
}

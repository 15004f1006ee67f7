import { existsSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import type { Command } from 'commander';
import { adminKeyPath } from '../../identity/paths.js';
import { type Ending, endRouter } from '../ending.js';
import { usageError } from '../errors.js';
import { disableService, installation, removeProgram } from '../installation.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { confirmed, print } from '../terminal/index.js';

const HELP = `
The router leaves the network for good and gives its addresses to others, as with \`weft reset\`; Docker and container runtimes
are told no more about it. Then its state, its logs and the program go. A package of Debian is purged; what npm installed, and a
source tree, is left to you.`;

/** `weft uninstall` */
export function registerUninstall(program: Command): void {
  const command = program
    .command('uninstall')
    .summary('remove weft from this host')
    .description('Stops the router of this host and removes all of weft. On a terminal it asks first.')
    .option('--force', "do not ask, and remove an administrator's key, too")
    .addHelpText('after', HELP)
    .action(uninstall);
  withCommonOptions(command);
}

interface Uninstalled {
  /** What could not be done by the router that left. */
  readonly note: string | null;
  /** What is left to do. */
  readonly remedy: string | null;
}

async function uninstall(options: CommonOptions & { readonly force?: boolean }): Promise<void> {
  const { runDir, stateDir, force = false } = options;
  const found = await installation();
  if (!force) {
    refuseToLoseKey(stateDir);
    if (!(await confirmed('Leave the network for good and remove weft from this host?')))
      throw usageError('nothing was changed');
  }
  const wasKnown = existsSync(stateDir);
  await disableService();
  const ending = await endRouter(options, true);
  if (force) await rm(adminKeyPath(stateDir), { force: true });
  // Somebody may keep other files there.
  for (const directory of [runDir, stateDir]) await rmdir(directory).catch(() => {});
  const remedy = await removeProgram(found);
  const done: Uninstalled = { note: noteOf(ending, wasKnown), remedy };
  await print(options, done, ({ note }) =>
    [
      'weft is removed from this host',
      ...(note === null ? [] : [note]),
      ...(remedy === null ? [] : [remedy]),
    ].join('\n'),
  );
}

function refuseToLoseKey(stateDir: string): void {
  const key = adminKeyPath(stateDir);
  if (!existsSync(key)) return;
  throw usageError(
    `the key of the network's administrator is in ${key}: move it to where it is safe first, or give --force to lose it`,
  );
}

/** A router that does not run gives nothing away. */
function noteOf({ running, note }: Ending, wasKnown: boolean): string | null {
  if (running || !wasKnown) return note;
  return 'its router did not run: what addresses it had is given to others by `weft rmpeer` on another host';
}

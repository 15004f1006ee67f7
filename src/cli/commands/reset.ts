import type { Command } from 'commander';
import { describeEnding, endRouter } from '../ending.js';
import { usageError } from '../errors.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { confirmed, print } from '../terminal/index.js';

/** `weft reset` */
export function registerReset(program: Command): void {
  const command = program
    .command('reset')
    .summary('stop the router and forget its network')
    .description(
      'Stops the router and removes everything it has, its identity and its network too. The next launch makes a new router. On a terminal it asks first. The key of an administrator stays: it is the network’s.',
    )
    .option('--force', 'do not ask')
    .action(reset);
  withCommonOptions(command);
}

async function reset(options: CommonOptions & { force?: boolean }): Promise<void> {
  const question = `Forget the identity and the network in ${options.stateDir}?`;
  if (!options.force && !(await confirmed(question))) throw usageError('nothing was changed');
  await print(options, await endRouter(options, true), (ending) =>
    describeEnding(ending, 'left the network'),
  );
}

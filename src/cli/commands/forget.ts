import type { Command } from 'commander';
import type { Target } from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { targetsTable } from '../tables/status.js';
import { print } from '../terminal/index.js';

/** `weft forget` */
export function registerForget(program: Command): void {
  const command = program
    .command('forget')
    .summary('stop connecting to routers')
    .description(
      'Removes targets. A link that exists stays until it breaks; a router that links to us is not refused.',
    )
    .argument('<target...>', 'as `weft status targets` shows them')
    .action(forget);
  withCommonOptions(command);
}

async function forget(peers: string[], options: CommonOptions): Promise<void> {
  await print(options, await ask<Target[]>(options.runDir, 'POST', '/forget', { peers }), targetsTable);
}

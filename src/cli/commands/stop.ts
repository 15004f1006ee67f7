import type { Command } from 'commander';
import { describeEnding, endRouter } from '../ending.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { print } from '../terminal/index.js';

/** `weft stop` */
export function registerStop(program: Command): void {
  const command = program
    .command('stop')
    .summary('stop the router and remove its interfaces')
    .description(
      'Stops the router and removes its bridge, interfaces, sockets and logs, also those of a router that was killed. Its identity, network and targets stay: `weft launch` resumes.',
    )
    .action(stop);
  withCommonOptions(command);
}

async function stop(options: CommonOptions): Promise<void> {
  await print(options, await endRouter(options, false), (ending) => describeEnding(ending, 'stopped'));
}

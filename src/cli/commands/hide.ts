import type { Command } from 'commander';
import type { Exposure } from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { exposuresText } from '../tables/exposures.js';
import { print } from '../terminal/index.js';

/** `weft hide` */
export function registerHide(program: Command): void {
  const command = program
    .command('hide')
    .summary('take this host off the network')
    .description('Takes addresses from this host, or without addresses all that it has on the network.')
    .argument('[address...]', 'as `weft status` shows them, or net:10.40.0.0/16 for those of this subnet')
    .option('--network <network>', 'which network (default: the one that every host is on)')
    .addHelpText('after', '\nExamples:\n  weft hide\n  weft hide 10.32.0.1/12 net:10.40.0.0/16')
    .action(hide);
  withCommonOptions(command);
}

async function hide(addresses: string[], options: CommonOptions & { network?: string }): Promise<void> {
  const body = { addresses, network: options.network };
  const left = await ask<Exposure[]>(options.runDir, 'DELETE', '/exposures', body);
  await print(options, left, exposuresText);
}

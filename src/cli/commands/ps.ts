import type { Command } from 'commander';
import type { Attachment } from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { attachmentsTable } from '../tables/attachments.js';
import { print } from '../terminal/index.js';

/** `weft ps` */
export function registerPs(program: Command): void {
  const command = program
    .command('ps')
    .summary('containers of this host on the network')
    .description('Lists the attached containers of this host with their networks, MACs and addresses.')
    .action(ps);
  withCommonOptions(command);
}

async function ps(options: CommonOptions): Promise<void> {
  await print(options, await ask<Attachment[]>(options.runDir, 'GET', '/attachments'), attachmentsTable);
}

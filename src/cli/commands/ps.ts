import type { Command } from 'commander';
import type { Attachment } from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, type QuietOption, withCommonOptions, withQuiet } from '../options.js';
import { attachmentsTable } from '../tables/attachments.js';
import { printList } from '../terminal/index.js';

/** `weft ps` */
export function registerPs(program: Command): void {
  const command = program
    .command('ps')
    .summary('containers of this host on the network')
    .description('Lists the attached containers of this host with their networks, MACs and addresses.')
    .action(ps);
  withCommonOptions(withQuiet(command, 'the ids of the containers'));
}

async function ps(options: CommonOptions & QuietOption): Promise<void> {
  const attachments = await ask<Attachment[]>(options.runDir, 'GET', '/attachments');
  const ids = () => [...new Set(attachments.map(({ id }) => id))];
  await printList(options, attachments, attachmentsTable, ids);
}

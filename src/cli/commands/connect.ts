import type { Command } from 'commander';
import type { Target } from '../../api/index.js';
import { parseTarget } from '../../net/index.js';
import { ask } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { targetsTable } from '../tables/status.js';
import { print } from '../terminal/index.js';

/** `weft connect` */
export function registerConnect(program: Command): void {
  const command = program
    .command('connect')
    .summary('connect to more routers')
    .description('Adds routers to connect to, now and after every restart.')
    .argument('<host...>', 'host, host:port or [IPv6]:port')
    .option('--replace', 'forget all other targets')
    .addHelpText(
      'after',
      '\nExamples:\n  weft connect 192.0.2.7\n  weft connect --replace host-a:6783 host-b:6783',
    )
    .action(connect);
  withCommonOptions(command);
}

async function connect(peers: string[], options: CommonOptions & { replace?: boolean }): Promise<void> {
  for (const peer of peers) parseTarget(peer);
  const body = { peers, replace: options.replace ?? false };
  await print(options, await ask<Target[]>(options.runDir, 'POST', '/connect', body), targetsTable);
}

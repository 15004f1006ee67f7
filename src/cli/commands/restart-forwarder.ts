import type { Command } from 'commander';
import type { ForwarderExchange } from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { print } from '../terminal/index.js';

/** The new one gets 5 s to start, and 5 s to take over. */
const PATIENCE = 12_000;

const HELP = `
An upgrade of weft exchanges the daemon alone, so that not one packet is lost; the forwarder goes on as it was. This command has the forwarder that is installed
now take its place. The new one prepares itself while the former one works, then all connections to other hosts are made anew: that takes less than a tenth of a second
and a round trip to each host, and TCP connections of containers go on. \`weft status\` and \`weft doctor\` say when the running one is outdated.`;

/** `weft restart-forwarder` */
export function registerRestartForwarder(program: Command): void {
  const command = program
    .command('restart-forwarder')
    .summary('have the running forwarder be the installed one')
    .description('Exchanges the running forwarder for the one that is installed.')
    .addHelpText('after', HELP)
    .action(restartForwarder);
  withCommonOptions(command);
}

async function restartForwarder(options: CommonOptions): Promise<void> {
  const exchange = await ask<ForwarderExchange>(
    options.runDir,
    'POST',
    '/datapath/exchange',
    undefined,
    PATIENCE,
  );
  await print(options, exchange, ({ former, present }) => {
    const versions =
      former.version === present.version
        ? `of version ${present.version}`
        : `of version ${former.version} for one of ${present.version}`;
    return `exchanged the forwarder ${versions}: process ${present.pid} in place of ${former.pid}`;
  });
}

import type { Command } from 'commander';
import type { Attachment } from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { print } from '../terminal/index.js';

const HELP = `
Addresses:
  10.32.1.5/24          this one
  net:10.40.0.0/16      those that it has of this subnet
  net:default           those that it has of the default subnet

The container is named as for \`weft attach\`. Of several containers in one network namespace only this one loses its name; the interface
goes with the last of them.

Examples:
  weft detach web
  weft detach container:db
  weft detach web 10.32.0.1/12`;

/** `weft detach` */
export function registerDetach(program: Command): void {
  const command = program
    .command('detach')
    .summary('take a container off the network')
    .description('Takes addresses from a container, or without addresses its whole interface.')
    .argument('<container>', 'as it was attached: `weft ps` shows it')
    .argument('[address...]', 'such as 10.32.1.5/24, or net:10.40.0.0/16 for what it has of this subnet')
    .option('--interface <name>', 'name of the interface in the container (default: ethweft)')
    .addHelpText('after', HELP)
    .action(detach);
  withCommonOptions(command);
}

async function detach(
  target: string,
  addresses: string[],
  options: CommonOptions & { interface?: string },
): Promise<void> {
  const body = { target, addresses, interface: options.interface };
  const left = await ask<Attachment | null>(options.runDir, 'DELETE', '/attachments', body);
  await print(options, left, (found) =>
    found === null ? `${target} is detached` : `${found.interface} ${found.mac} ${found.addresses.join(' ')}`,
  );
}

import type { Command } from 'commander';
import type { Exposure } from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { exposuresText } from '../tables/exposures.js';
import { print } from '../terminal/index.js';

const HELP = `
The host gets an address on the bridge, so that it and the containers of that subnet reach each other, on all hosts. A container that
has its default route there reaches what the host reaches: its packets get the host's address.

Examples:
  weft expose                              an address of the default subnet
  weft expose 10.32.0.1/12 -h gateway      this one, and a name for it
  weft expose net:10.40.0.0/16 --without-masquerade
  weft expose --network blue 10.40.0.1/16`;

interface ExposeOptions extends CommonOptions {
  readonly network?: string;
  readonly hostname?: string;
  readonly withoutMasquerade?: boolean;
}

/** `weft expose` */
export function registerExpose(program: Command): void {
  const command = program
    .command('expose')
    .summary('put this host on the network')
    .description('Puts this host itself on the network, and lets containers reach outside through it.')
    .argument('[address...]', 'such as 10.32.0.1/12 or net:10.40.0.0/16 (default: net:default)')
    .option('-h, --hostname <name>', 'what others call it')
    .option('--network <network>', 'which network (default: the one that every host is on)')
    .option('--without-masquerade', 'leave the addresses of packets as they are')
    .addHelpText('after', HELP)
    .action(expose);
  withCommonOptions(command);
}

async function expose(addresses: string[], options: ExposeOptions): Promise<void> {
  const { network, hostname, withoutMasquerade } = options;
  const body = { addresses, network, name: hostname, masquerade: withoutMasquerade !== true };
  const made = await ask<Exposure[]>(options.runDir, 'POST', '/exposures', body);
  await print(options, made, exposuresText);
}

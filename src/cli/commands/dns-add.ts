import type { Command } from 'commander';
import type { Name } from '../../api/index.js';
import { ask } from '../client.js';
import { type NameOptions, nameRequest, withNameArguments } from '../names.js';
import { namesTable } from '../tables/dns.js';
import { print } from '../terminal/index.js';

const HELP = `
The name is answered on every host a moment later. Without addresses it gets those that the container has now. It goes with
the container, or with \`weft dns-remove\`; it comes back when the router restarts.

Examples:
  weft dns-add web                           web.weft.local, with the addresses of the container web
  weft dns-add web -h shop.example           one more name for it: shop.example.weft.local
  weft dns-add 10.32.0.9 web                 one more address under web.weft.local
  weft dns-add 192.0.2.7 192.0.2.8 -h db     addresses of no container: db.weft.local`;

/** `weft dns-add` */
export function registerDnsAdd(program: Command): void {
  const command = program
    .command('dns-add')
    .summary('name a container, or any address')
    .description('Gives a container of this host, or any addresses, a name.')
    .addHelpText('after', HELP)
    .action(dnsAdd);
  withNameArguments(command);
}

async function dnsAdd(args: string[], options: NameOptions): Promise<void> {
  const names = await ask<Name[]>(options.runDir, 'POST', '/names', nameRequest(args, options));
  await print(options, names, namesTable);
}

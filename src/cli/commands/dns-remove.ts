import type { Command } from 'commander';
import type { Name } from '../../api/index.js';
import { ask } from '../client.js';
import { type NameOptions, nameRequest, withNameArguments } from '../names.js';
import { namesTable } from '../tables/dns.js';
import { print } from '../terminal/index.js';

const HELP = `
Names of other hosts are removed there.

Examples:
  weft dns-remove web                        all names of the container web
  weft dns-remove web -h shop.example        one of them
  weft dns-remove 10.32.0.9 web              one address, under all names of web
  weft dns-remove 192.0.2.7 -h db            an address of no container`;

/** `weft dns-remove` */
export function registerDnsRemove(program: Command): void {
  const command = program
    .command('dns-remove')
    .summary('take names away again')
    .description('Takes names, or addresses of names, from a container of this host.')
    .addHelpText('after', HELP)
    .action(dnsRemove);
  withNameArguments(command);
}

async function dnsRemove(args: string[], options: NameOptions): Promise<void> {
  const left = await ask<Name[]>(options.runDir, 'DELETE', '/names', nameRequest(args, options));
  await print(options, left, (names) => (names.length === 0 ? '' : namesTable(names)));
}

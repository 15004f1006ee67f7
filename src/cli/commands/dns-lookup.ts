import type { Command } from 'commander';
import type { NameFound } from '../../api/index.js';
import { WeftError } from '../../errors.js';
import { ask } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { print } from '../terminal/index.js';

const HELP = `
Exits with 1 when there is nothing.

Examples:
  weft dns-lookup web                        or web.weft.local
  weft dns-lookup 10.32.0.1                  the names of an address`;

/** `weft dns-lookup` */
export function registerDnsLookup(program: Command): void {
  const command = program
    .command('dns-lookup')
    .summary('look a name up, as containers see it')
    .description('Shows the addresses of a container’s name, or the names of an address, one a line.')
    .argument('<name|address>', 'with or without the domain, or an address')
    .addHelpText('after', HELP)
    .action(dnsLookup);
  withCommonOptions(command);
}

async function dnsLookup(name: string, options: CommonOptions): Promise<void> {
  const path = `/names/lookup?name=${encodeURIComponent(name)}`;
  const found = await ask<NameFound>(options.runDir, 'GET', path);
  if (found.answers.length === 0) {
    throw new WeftError('no-such-name', `there is no ${found.name}: \`weft status dns\` shows all names`);
  }
  await print(options, found, ({ answers }) => answers.join('\n'));
}

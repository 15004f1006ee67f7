import { Argument, type Command } from 'commander';
import { parseHostPort } from '../../address.js';
import type { Token } from '../../api/index.js';
import { ask } from '../client.js';
import { usageError } from '../errors.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { print } from '../output.js';

const HELP = `
Whoever has the token can join the network: treat it like a password.

Examples:
  weft token                              the line to run on another host
  weft token make 203.0.113.5 vpn.example a token with these addresses instead of the host's own`;

/** `weft token` */
export function registerToken(program: Command): void {
  const command = program
    .command('token')
    .summary('show or make a token that joins the network')
    .description('Shows the join token of the network, or makes one with addresses of your choice.')
    .addArgument(new Argument('[action]', 'what to do').choices(['show', 'make']).default('show'))
    .argument('[address...]', 'host[:port] at which this router is reached')
    .addHelpText('after', HELP)
    .action(token);
  withCommonOptions(command);
}

async function token(action: 'show' | 'make', addresses: string[], options: CommonOptions): Promise<void> {
  for (const address of addresses) parseHostPort(address);
  if (action === 'show' && addresses.length > 0) throw usageError('only `weft token make` takes addresses');
  const answer =
    action === 'show'
      ? await ask<Token>(options.runDir, 'GET', '/token')
      : await ask<Token>(options.runDir, 'POST', '/token', addresses.length === 0 ? {} : { addresses });
  await print(options, answer, ({ join }) => join);
}

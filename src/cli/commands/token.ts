import { Argument, type Command } from 'commander';
import type { Rotation, Token } from '../../api/index.js';
import { parseAdvertised } from '../../net/index.js';
import { type AdminKeyOption, adminKeyOf, withAdminKey } from '../admin-key.js';
import { ask } from '../client.js';
import { usageError } from '../errors.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { peerName, print, qrCodeHere } from '../terminal/index.js';

const HELP = `
Whoever has the token can join the network: treat it like a password.

Examples:
  weft token                              the line to run on another host
  weft token make 203.0.113.5 vpn.example a token with these addresses instead of the host's own
  weft token rotate                       replace the network's secret, while traffic flows

With \`rotate\`, tokens that were given away admit nobody new at once. Members take the new secret over by themselves; the old one is good for those that were
away until all have confirmed, or until \`weft token rotate --finish\`. Whoever comes back later joins again with a new token.

\`weft token rotate --reset-trust\` is the way out when somebody expelled those who belong here, or made so much up that nothing can be said any more.
The network begins anew with this router, which goes on running: a new secret, and no expulsion, removal or rotation of before counts. Whoever is to stay is
given the new token by hand, as the command says; identity, addresses and attachments stay. Whoever is not given it is out.

In a network with an administrator (\`weft launch --admin\`) it takes the key to rotate.`;

/** `weft token` */
export function registerToken(program: Command): void {
  const command = program
    .command('token')
    .summary('show, make or replace what joins the network')
    .description(
      "Shows the join token of the network, makes one with addresses of your choice, or replaces the network's secret.",
    )
    .addArgument(new Argument('[action]', 'what to do').choices(['show', 'make', 'rotate']).default('show'))
    .argument('[address...]', 'host[:port] at which this router is reached')
    .option('--qr', 'with show or make: as a QR code, too, for a camera')
    .option('--finish', 'with rotate: end it now, whoever did not hear of the new secret')
    .option('--reset-trust', 'with rotate: begin anew with this router; the others need the new token')
    .addHelpText('after', HELP)
    .action(token);
  withCommonOptions(withAdminKey(command));
}

type Options = CommonOptions & AdminKeyOption & { finish?: boolean; resetTrust?: boolean; qr?: boolean };

async function token(
  action: 'show' | 'make' | 'rotate',
  addresses: string[],
  options: Options,
): Promise<void> {
  for (const address of addresses) parseAdvertised(address);
  if (action !== 'make' && addresses.length > 0) throw usageError('only `weft token make` takes addresses');
  const ofRotation = {
    '--finish': options.finish,
    '--reset-trust': options.resetTrust,
    '--admin-key': options.adminKey,
  };
  for (const [name, value] of Object.entries(ofRotation)) {
    if (action !== 'rotate' && value !== undefined)
      throw usageError(`only \`weft token rotate\` takes ${name}`);
  }
  if (options.finish && options.resetTrust) throw usageError('give one of --finish and --reset-trust');
  if (action === 'rotate' && options.qr) throw usageError('only `weft token show` and `make` take --qr');
  if (action === 'rotate') return rotate(options);
  const answer =
    action === 'show'
      ? await ask<Token>(options.runDir, 'GET', '/token')
      : await ask<Token>(options.runDir, 'POST', '/token', addresses.length === 0 ? {} : { addresses });
  const { join } = answer;
  await print(options, answer, async () => (options.qr ? `${join}\n\n${await qrCodeHere(join)}` : join));
}

async function rotate({ finish = false, resetTrust = false, ...options }: Options): Promise<void> {
  const request = { finish, resetTrust, ...(await adminKeyOf(options)) };
  const rotation = await ask<Rotation>(options.runDir, 'POST', '/token/rotate', request);
  const { join } = await ask<Token>(options.runDir, 'GET', '/token');
  await print(options, { ...rotation, join }, () =>
    resetTrust ? resetText(join) : rotationText(rotation, join),
  );
}

function resetText(join: string): string {
  return `the network begins anew with this router: it has a new secret, and nothing counts that was said before
run this on each other host that is to stay; it keeps its identity and its addresses:

    weft stop && ${join}

whoever is not given this token is out; give the addresses of hosts that do not stay free with \`weft rmpeer\` (\`weft status ipam\` has their ids)`;
}

function rotationText({ finished, waiting }: Rotation, join: string): string {
  const names = waiting.map(peerName).join(', ');
  const old = finished
    ? 'the old secret is good no more'
    : `the old secret is good for members until all have the new one; waiting for ${names || 'the last confirmation'} (\`weft status\` shows it)`;
  return `the network has a new secret; ${old}\njoin other hosts from now on with:\n\n    ${join}`;
}

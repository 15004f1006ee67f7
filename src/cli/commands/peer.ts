import { Argument, type Command } from 'commander';
import type { Peer, Verdict } from '../../api/index.js';
import { type AdminKeyOption, adminKeyOf, withAdminKey } from '../admin-key.js';
import { ask } from '../client.js';
import { usageError } from '../errors.js';
import { type CommonOptions, type QuietOption, withCommonOptions, withQuiet } from '../options.js';
import { peersTable } from '../tables/status.js';
import { peerName, print, printList } from '../terminal/index.js';

const HELP = `
An expelled router is refused by all others, at once and for ever: they close its links, drop its session keys and ignore what it says. It cannot be taken
back; it may join as a new one after \`weft reset\`. It still knows the network's secret: replace that, too. In a network with an administrator
(\`weft launch --admin\`) it takes the key to expel.

Example:
  weft peer revoke host-c && weft token rotate`;

/** `weft peer` */
export function registerPeer(program: Command): void {
  const command = program
    .command('peer')
    .summary('list routers, or expel one')
    .description('Lists the routers of the network, or expels one.')
    .addArgument(new Argument('[action]', 'what to do').choices(['ls', 'revoke']).default('ls'))
    .argument('[peer]', 'id or name, as `weft peer ls` shows it')
    .addHelpText('after', HELP)
    .action(peer);
  withCommonOptions(withQuiet(withAdminKey(command), 'the ids of the routers'));
}

async function peer(
  action: 'ls' | 'revoke',
  name: string | undefined,
  options: CommonOptions & AdminKeyOption & QuietOption,
): Promise<void> {
  if ((action === 'revoke') !== (name !== undefined)) {
    throw usageError('`weft peer revoke` needs the router to expel, `weft peer ls` none');
  }
  if (action === 'ls' && options.adminKey !== undefined) {
    throw usageError('only `weft peer revoke` takes --admin-key');
  }
  if (action === 'revoke' && options.quiet) throw usageError('only `weft peer ls` takes --quiet');
  if (action === 'ls') {
    const peers = await ask<Peer[]>(options.runDir, 'GET', '/peers');
    return printList(options, peers, peersTable, () => peers.map(({ peer: id }) => id));
  }
  const request = { peer: name, ...(await adminKeyOf(options)) };
  const verdict = await ask<Verdict>(options.runDir, 'POST', '/peers/revoke', request);
  await print(options, verdict, revokedText);
}

function revokedText(verdict: Verdict): string {
  return `${peerName(verdict)} is expelled: every router refuses it
It still knows the network's secret and could join under another identity: replace the secret now with

    weft token rotate`;
}

import type { Command } from 'commander';
import type { Verdict } from '../../api/index.js';
import { type AdminKeyOption, adminKeyOf, withAdminKey } from '../admin-key.js';
import { ask } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { peerName, print } from '../terminal/index.js';

const HELP = `
For a host that died and does not come back: all routers forget it, and this one takes over its addresses. Run it once, on one host. A router that is alive is
refused; if a removed one comes back after all, it begins anew, without the addresses that it had. In a network with an administrator (\`weft launch --admin\`) it takes the key to remove.

Examples:
  weft rmpeer host-c
  weft rmpeer 15a82f92fdccaaee            the id, when several have the same name`;

/** `weft rmpeer` */
export function registerRmpeer(program: Command): void {
  const command = program
    .command('rmpeer')
    .summary('forget a dead router for good')
    .description('Forgets a dead router everywhere, and takes over what it owned.')
    .argument('<peer>', 'id or name, as `weft status peers` shows it')
    .addHelpText('after', HELP)
    .action(rmpeer);
  withCommonOptions(withAdminKey(command));
}

async function rmpeer(peer: string, options: CommonOptions & AdminKeyOption): Promise<void> {
  const request = { peer, ...(await adminKeyOf(options)) };
  const verdict = await ask<Verdict>(options.runDir, 'POST', '/peers/remove', request);
  await print(
    options,
    verdict,
    (removed) => `${peerName(removed)} is removed; ${removed.by} takes over its addresses`,
  );
}

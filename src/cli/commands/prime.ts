import type { Command } from 'commander';
import type { Ipam } from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { print } from '../terminal/index.js';

const HELP = `
In a network with a password, nobody owns addresses before more than half of the routers that were named at launch have met. In a network with a token the first
router owns all, and shares them with those that join.

A router that was restarted together with its host asks the others whether it still owns what its disk says: the disk may have come from a backup. Alone it waits. With --force it does
not: only for a disk that is the last one, or when those that it waits for are gone for good (better: \`weft rmpeer\` for each of them).

Example:
  weft launch --password-file F host-a host-b && weft prime && weft attach web`;

/** `weft prime` */
export function registerPrime(program: Command): void {
  const command = program
    .command('prime')
    .summary('wait until addresses can be handed out')
    .description('Waits until this router may hand out addresses.')
    .option('--force', 'go on with what this router owned before it was restarted, without asking others')
    .addHelpText('after', HELP)
    .action(prime);
  withCommonOptions(command);
}

async function prime({ force = false, ...options }: CommonOptions & { force?: boolean }): Promise<void> {
  let told: string | null = null;
  for (;;) {
    const ipam = await ask<Ipam>(options.runDir, 'POST', '/ipam/prime', { force });
    if (ipam.founders.length > 0 && !ipam.inDoubt) {
      await print(
        options,
        ipam,
        ({ owned, range }) => `${owned} addresses of ${range} are this router’s to hand out`,
      );
      return;
    }
    if (ipam.note !== told && ipam.note !== null) process.stderr.write(`waiting: ${ipam.note}\n`);
    told = ipam.note;
  }
}

import type { Command } from 'commander';
import type { NetworkInfo } from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, collect, type QuietOption, withCommonOptions, withQuiet } from '../options.js';
import { networksTable } from '../tables/networks.js';
import { print, printList } from '../terminal/index.js';

const HELP = `
A network is an Ethernet segment of its own: its containers reach only each other, on all hosts, and it may have the same
addresses as another one. All hosts know it at once. A host takes part in it as soon as a container there is attached to it.

Examples:
  weft network create blue --subnet 10.40.0.0/16
  weft attach web --network blue 10.40.0.1/16
  weft network ls
  weft network rm blue`;

/** `weft network` */
export function registerNetwork(program: Command): void {
  const network = program
    .command('network')
    .summary('make, list and remove isolated networks')
    .description('Makes, lists and removes networks that are isolated from each other.')
    .addHelpText('after', HELP);
  withCommonOptions(
    network
      .command('create')
      .description('Makes a network on all hosts.')
      .argument('<name>', 'letters, digits, dashes, dots and underscores')
      .option('--subnet <subnet>', 'from which its containers get addresses; repeatable', collect)
      .action(create),
  );
  const ls = network.command('ls').description('Lists the networks.').action(list);
  withCommonOptions(withQuiet(ls, 'their names'));
  withCommonOptions(
    network
      .command('rm')
      .description('Removes a network from all hosts. It must have no containers.')
      .argument('<network>', 'as `weft network ls` shows it')
      .option('--force', 'though a host that cannot be reached any more has containers on it')
      .action(remove),
  );
}

async function create(name: string, options: CommonOptions & { subnet?: string[] }): Promise<void> {
  const body = { name, subnets: options.subnet ?? [] };
  const made = await ask<NetworkInfo>(options.runDir, 'POST', '/networks', body);
  await print(options, made, (found) => networksTable([found]));
}

async function list(options: CommonOptions & QuietOption): Promise<void> {
  const networks = await ask<NetworkInfo[]>(options.runDir, 'GET', '/networks');
  await printList(options, networks, networksTable, () => networks.map(({ name }) => name));
}

async function remove(name: string, options: CommonOptions & { force?: boolean }): Promise<void> {
  const body = { name, force: options.force };
  const left = await ask<NetworkInfo[]>(options.runDir, 'DELETE', '/networks', body);
  await print(options, left, () => `the network ${name} is removed`);
}

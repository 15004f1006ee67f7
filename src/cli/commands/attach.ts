import type { Command } from 'commander';
import type { Attachment } from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { print } from '../output.js';

const HELP = `
The container gets an interface (ethweft) with these addresses and the right MTU, and a route for multicast. Attaching
again adds addresses. Attachments are put back when the router restarts.

Examples:
  weft attach web 10.32.0.1/12                        a namespace of \`ip netns\`
  weft attach 4711 10.32.0.1/12 fd00:32::1/64         the namespace of process 4711
  weft attach $(docker inspect -f '{{.State.Pid}}' web) 10.32.0.1/12`;

/** `weft attach` */
export function registerAttach(program: Command): void {
  const command = program
    .command('attach')
    .summary('put a container on the network')
    .description('Puts a container on the network.')
    .argument('<container>', 'name or path of a network namespace, or the id of a process in it')
    .argument('<cidr...>', 'addresses with prefix length')
    .option('--interface <name>', 'name of the interface in the container (default: ethweft)')
    .addHelpText('after', HELP)
    .action(attach);
  withCommonOptions(command);
}

async function attach(
  target: string,
  addresses: string[],
  options: CommonOptions & { interface?: string },
): Promise<void> {
  const body = { target, addresses, interface: options.interface };
  const attached = await ask<Attachment>(options.runDir, 'POST', '/attachments', body);
  await print(options, attached, (found) => `${found.interface} ${found.mac} ${found.addresses.join(' ')}`);
}

import type { Command } from 'commander';
import type { Attachment, AttachRequest } from '../../api/index.js';
import { parseLabel } from '../../labels.js';
import { ask } from '../client.js';
import { type CommonOptions, collect, withCommonOptions } from '../options.js';
import { print } from '../terminal/index.js';

const HELP = `
The container gets an interface (ethweft) with these addresses and the right MTU, and a route for multicast. Attaching
again adds addresses. What is attached stays so when the container or the router is restarted. A container in the network namespace of
another one that is attached (docker run --network container:OTHER) has the same interface: attaching it adds its name.

Addresses:
  10.32.1.5/24          this one
  net:10.40.0.0/16      one of this subnet that nobody has
  net:default           one of the default subnet; also without any address

A name can be that of a container, of a network namespace, or a process id. Where it is of several, say which:
  container:web, netns:web, pid:4711

Labels are known on all hosts: \`weft status dns\` shows them. Those that are given take the place of those given before.
Of the labels of a container of Docker or Podman, weft.label.KEY is the label KEY here, and com.docker.compose.project,
com.docker.compose.service and com.docker.swarm.service.name are what they are.

Examples:
  weft attach web                                     a container of Docker or Podman, by name or id
  weft attach web 10.32.0.1/12 net:10.40.0.0/16       two addresses
  weft attach blue 10.32.0.1/12 fd00:32::1/64         a namespace of \`ip netns\`
  weft attach 4711 10.32.0.1/12                       the namespace of process 4711
  weft attach web --network blue --interface ethblue 10.40.0.1/16
  weft attach web --mac 02:00:00:aa:bb:01             for a licence that is bound to a MAC
  weft attach web --label app=shop --label tier=web   two labels
  weft attach web --floating 10.32.0.100/12           keepalived may move this address to another container`;

interface AttachOptions extends CommonOptions {
  readonly network?: string;
  readonly interface?: string;
  readonly mac?: string;
  readonly floating?: boolean;
  readonly name?: string;
  readonly hostname?: string;
  readonly label?: readonly string[];
  readonly multicastRoute: boolean;
  readonly withoutDns?: boolean;
}

/** `weft attach` */
export function registerAttach(program: Command): void {
  const command = program
    .command('attach')
    .summary('put a container on the network')
    .description('Puts a container on the network.')
    .argument(
      '<container>',
      'name or id of a container, name or path of a network namespace, or a process id',
    )
    .argument('[address...]', 'such as 10.32.1.5/24 or net:10.40.0.0/16 (default: net:default)')
    .option('--network <network>', 'which network (default: the one that every host is on)')
    .option('--interface <name>', 'name of the interface in the container (default: ethweft)')
    .option('--mac <address>', 'of the interface (default: the one that it had, or any)')
    .option('--floating', 'these addresses go to whoever announces them last (default: they are its own)')
    .option('--name <name>', 'what others call it (default: the name of the container or namespace)')
    .option('--hostname <name>', 'a second name (default: the host name of the container)')
    .option(
      '--label <key=value>',
      'what all hosts are to know of it, may be given several times (default: those that it had)',
      collect,
    )
    .option('--no-multicast-route', 'do not send multicast through this interface')
    .option('--without-dns', 'do not give it names')
    .addHelpText('after', HELP)
    .action(attach);
  withCommonOptions(command);
}

async function attach(target: string, addresses: string[], options: AttachOptions): Promise<void> {
  const { network, interface: inside, mac, floating, name, hostname, label } = options;
  const { multicastRoute, withoutDns } = options;
  const body = {
    target,
    addresses,
    network,
    interface: inside,
    mac,
    floating,
    name,
    hostname,
    labels: label && Object.fromEntries(label.map(parseLabel)),
    // What is not asked for stays as it was when the container was attached.
    multicastRoute: multicastRoute ? undefined : false,
    dns: withoutDns ? false : undefined,
  } satisfies Record<keyof AttachRequest, unknown>;
  const attached = await ask<Attachment>(options.runDir, 'POST', '/attachments', body);
  await print(options, attached, describe);
}

function describe({ interface: inside, mac, addresses, name, sharedWith }: Attachment): string {
  const line = `${inside} ${mac} ${addresses.join(' ')}`;
  if (sharedWith.length === 0) return line;
  const called = name === null ? '' : `, under the name ${name}, too`;
  return `${line}\nin one network namespace with ${sharedWith.join(', ')}: it is one interface, which counts for all of them${called}`;
}

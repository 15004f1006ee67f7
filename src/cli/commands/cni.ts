import type { Command } from 'commander';
import type { CniStatus } from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, directory, withCommonOptions } from '../options.js';
import { cniText } from '../tables/cni.js';
import { print } from '../terminal/index.js';

const HELP = `
Container runtimes run a program for each container that they start, as a configuration says. \`weft cni install\` puts both
where the runtime looks for them; the router puts them back when somebody removes them, until \`weft cni uninstall\`.

A container then has an address of weft, the way out through this host, and in DNS the name of its pod (Kubernetes) or its own
(Podman). Containers on several hosts reach each other. Isolated networks are networks of weft by their name:
  weft network create shop --subnet 10.40.0.0/16
  weft cni install --name shop --network shop

Examples:
  weft cni install                                       containerd, CRI-O, Kubernetes
  weft cni install --bin-dir /usr/lib/cni                Podman and containerd of Debian
  ctr run --cni --rm docker.io/library/busybox:latest c1 ip address
  weft cni status
  weft cni uninstall`;

/** `weft cni` */
export function registerCni(program: Command): void {
  const cni = program
    .command('cni')
    .summary('be the network plugin of a container runtime')
    .description(
      'Makes weft the network plugin (CNI) of containerd, Podman, Nomad or Kubernetes on this host. This lasts over restarts.',
    )
    .addHelpText('after', HELP);
  withCommonOptions(
    cni
      .command('install')
      .description('Puts the plugin and a network configuration where the runtime looks for them.')
      .option('--bin-dir <dir>', 'where it looks for plugins', directory, '/opt/cni/bin')
      .option('--conf-dir <dir>', 'where it looks for configurations', directory, '/etc/cni/net.d')
      .option('--name <name>', 'what the runtime calls the network', 'weft')
      .option('--network <network>', 'what weft calls it', 'default')
      .action(install),
  );
  withCommonOptions(
    cni
      .command('uninstall')
      .description('Removes both. Containers that run keep what they have.')
      .action(uninstall),
  );
  withCommonOptions(cni.command('status').description('Shows what is installed where.').action(status));
}

type InstallOptions = CommonOptions & { binDir: string; confDir: string; name: string; network: string };

async function install({ binDir, confDir, name, network, ...options }: InstallOptions): Promise<void> {
  const request = { binDir, confDir, name, network };
  const made = await ask<CniStatus>(options.runDir, 'PUT', '/cni/installation', request);
  await print(options, made, ({ files }) => `installed ${files.join(' and ')}`);
}

async function uninstall(options: CommonOptions): Promise<void> {
  const former = await ask<CniStatus>(options.runDir, 'DELETE', '/cni/installation');
  await print(options, former, ({ files }) =>
    files.length === 0 ? 'nothing was installed' : `removed ${files.join(' and ')}`,
  );
}

async function status(options: CommonOptions): Promise<void> {
  await print(options, await ask<CniStatus>(options.runDir, 'GET', '/cni'), cniText);
}

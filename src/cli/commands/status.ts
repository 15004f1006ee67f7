import { Argument, type Command } from 'commander';
import type { Connection, Datapath, Peer, Status, Target } from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { print } from '../output.js';
import { connectionsTable, datapathText, overview, peersTable, targetsTable } from '../tables.js';

const HELP = `
Subjects:
  (none)       overview
  peers        routers that this one knows of
  connections  how traffic to each of them flows: path, round trip, loss, cipher
  targets      routers that this one was told to connect to
  datapath     the forwarder: ciphers, offloads, learned MACs, counters`;

const SUBJECTS = {
  overview: (options: CommonOptions) => show<Status>(options, '/status', overview),
  peers: (options: CommonOptions) => show<Peer[]>(options, '/peers', peersTable),
  connections: (options: CommonOptions) => show<Connection[]>(options, '/connections', connectionsTable),
  targets: (options: CommonOptions) => show<Target[]>(options, '/targets', targetsTable),
  datapath: (options: CommonOptions) => show<Datapath>(options, '/datapath', datapathText),
};

/** `weft status` */
export function registerStatus(program: Command): void {
  const command = program
    .command('status')
    .summary('how the router is doing')
    .description('Shows how the router is doing.')
    .addArgument(new Argument('[subject]', 'what to show').choices(Object.keys(SUBJECTS)).default('overview'))
    .addHelpText('after', HELP)
    .action((subject: keyof typeof SUBJECTS, options: CommonOptions) => SUBJECTS[subject](options));
  withCommonOptions(command);
}

async function show<T>(
  options: CommonOptions,
  path: string,
  render: (answer: T) => string | Promise<string>,
): Promise<void> {
  await print(options, await ask<T>(options.runDir, 'GET', path), render);
}

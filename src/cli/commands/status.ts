import { Argument, type Command } from 'commander';
import type {
  Connection,
  Datapath,
  DnsReport,
  Ipam,
  NetworkInfo,
  Peer,
  PeerPath,
  Source,
  Status,
  Target,
} from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { dnsText } from '../tables/dns.js';
import { ipamText } from '../tables/ipam.js';
import { networksTable } from '../tables/networks.js';
import { pathsText } from '../tables/paths.js';
import {
  connectionsTable,
  datapathText,
  overview,
  peersTable,
  sourcesTable,
  targetsTable,
} from '../tables/status.js';
import { print } from '../terminal/index.js';

const HELP = `
Subjects:
  (none)       overview
  peers        routers that this one knows of
  connections  how traffic to each of them flows: path, round trip, loss, cipher
  paths        for each: every address and relay that was tried, what answered, and why it is not better
  targets      routers that this one was told to connect to, who told it, and how the sources of --discover do
  sources      those sources alone
  dns          the DNS server, and the names of containers on all hosts
  networks     isolated networks, and who is on them
  ipam         who owns how many addresses, and what this host may hand out
  datapath     the forwarder: ciphers, offloads, learned MACs, counters`;

const SUBJECTS = {
  overview: (options: CommonOptions) => show<Status>(options, '/status', overview),
  peers: (options: CommonOptions) => show<Peer[]>(options, '/peers', peersTable),
  connections: (options: CommonOptions) => show<Connection[]>(options, '/connections', connectionsTable),
  paths: (options: CommonOptions) => show<PeerPath[]>(options, '/paths', pathsText),
  targets: (options: CommonOptions) =>
    show<Target[]>(options, '/targets', (targets) => targetsText(targets, options)),
  sources: (options: CommonOptions) => show<Source[]>(options, '/sources', sourcesTable),
  dns: (options: CommonOptions) => show<DnsReport>(options, '/dns', dnsText),
  networks: (options: CommonOptions) => show<NetworkInfo[]>(options, '/networks', networksTable),
  ipam: (options: CommonOptions) => show<Ipam>(options, '/ipam', ipamText),
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

async function targetsText(targets: readonly Target[], { runDir }: CommonOptions): Promise<string> {
  const sources = await ask<Source[]>(runDir, 'GET', '/sources');
  const tables = [targetsTable(targets), ...(sources.length === 0 ? [] : [sourcesTable(sources)])];
  return (await Promise.all(tables)).join('\n\n');
}

async function show<T>(
  options: CommonOptions,
  path: string,
  render: (answer: T) => string | Promise<string>,
): Promise<void> {
  await print(options, await ask<T>(options.runDir, 'GET', path), render);
}

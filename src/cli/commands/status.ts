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
import { usageError } from '../errors.js';
import { type CommonOptions, type QuietOption, withCommonOptions, withQuiet } from '../options.js';
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
import { printList } from '../terminal/index.js';

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

type Options = CommonOptions & QuietOption;

const SUBJECTS = {
  overview: (options: Options) => show<Status>(options, '/status', overview),
  peers: (options: Options) => show<Peer[]>(options, '/peers', peersTable, idsOf),
  connections: (options: Options) => show<Connection[]>(options, '/connections', connectionsTable, idsOf),
  paths: (options: Options) => show<PeerPath[]>(options, '/paths', pathsText, idsOf),
  targets: (options: Options) =>
    show<Target[]>(
      options,
      '/targets',
      (targets) => targetsText(targets, options),
      (targets) => targets.map(({ target }) => target),
    ),
  sources: (options: Options) =>
    show<Source[]>(options, '/sources', sourcesTable, (sources) => sources.map(({ source }) => source)),
  dns: (options: Options) =>
    show<DnsReport>(options, '/dns', dnsText, ({ names }) => [...new Set(names.map(({ name }) => name))]),
  networks: (options: Options) =>
    show<NetworkInfo[]>(options, '/networks', networksTable, (networks) => networks.map(({ name }) => name)),
  ipam: (options: Options) => show<Ipam>(options, '/ipam', ipamText),
  datapath: (options: Options) => show<Datapath>(options, '/datapath', datapathText),
};

function idsOf(peers: readonly { readonly peer: string }[]): string[] {
  return peers.map(({ peer }) => peer);
}

/** `weft status` */
export function registerStatus(program: Command): void {
  const command = program
    .command('status')
    .summary('how the router is doing')
    .description('Shows how the router is doing.')
    .addArgument(new Argument('[subject]', 'what to show').choices(Object.keys(SUBJECTS)).default('overview'))
    .addHelpText('after', HELP)
    .action((subject: keyof typeof SUBJECTS, options: Options) => SUBJECTS[subject](options));
  withCommonOptions(withQuiet(command, 'the ids or names of a subject that is a list'));
}

async function targetsText(targets: readonly Target[], { runDir }: CommonOptions): Promise<string> {
  const sources = await ask<Source[]>(runDir, 'GET', '/sources');
  const tables = [targetsTable(targets), ...(sources.length === 0 ? [] : [sourcesTable(sources)])];
  return (await Promise.all(tables)).join('\n\n');
}

async function show<T>(
  options: Options,
  path: string,
  render: (answer: T) => string | Promise<string>,
  namesOf?: (answer: T) => readonly string[],
): Promise<void> {
  if (options.quiet && namesOf === undefined) throw usageError('--quiet is for subjects that are lists');
  await printList(options, await ask<T>(options.runDir, 'GET', path), render, namesOf ?? (() => []));
}

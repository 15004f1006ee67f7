import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import {
  type ChosenSettings,
  type LaunchRequest,
  type Ready,
  runRouter,
  startDaemon,
} from '../../daemon/index.js';
import { WeftError } from '../../errors.js';
import { MAX_STORM_LIMIT, MAX_UDP_PORTS, MAX_WORKERS, OFFLOADS } from '../../forwarder/limits.js';
import { adminKeyPath } from '../../identity/paths.js';
import { isLoopback, parseAdvertised, parseStatusAddress, parseTarget } from '../../net/index.js';
import { usageError } from '../errors.js';
import {
  autoOrNumber,
  type CommonOptions,
  collect,
  collectOf,
  noneOrNumber,
  wholeNumber,
  withCommonOptions,
} from '../options.js';
import { checkPassword, readPasswordFile } from '../password.js';
import { waitingText } from '../tables/dns.js';
import { print, showProgress } from '../terminal/index.js';

const INTERRUPTS = ['SIGINT', 'SIGTERM'] as const;

interface LaunchOptions extends CommonOptions {
  readonly token?: string;
  readonly password?: string;
  readonly passwordFile?: string;
  readonly admin?: boolean;
  readonly adminKey?: string;
  readonly foreground?: boolean;
  readonly docker?: boolean;
  readonly dockerSwarm?: boolean;
  readonly kubernetes?: boolean;
  readonly port?: number;
  readonly bridge?: string;
  readonly nickname?: string;
  readonly cipher?: NonNullable<ChosenSettings['cipher']>;
  readonly mtu?: 'auto' | number;
  readonly logLevel?: NonNullable<ChosenSettings['logLevel']>;
  readonly rekeyInterval?: number;
  readonly workers?: 'auto' | number;
  readonly udpPorts?: number;
  /** True when the option is not given: commander's default for options that begin with "no". */
  readonly offload: true | NonNullable<ChosenSettings['disabledOffloads']>;
  readonly stormLimit?: number;
  readonly advertise?: string[];
  readonly discovery?: boolean;
  readonly discover?: string[];
  readonly connLimit?: 'auto' | number;
  readonly trustedSubnets?: string[];
  readonly fastDatapath?: boolean;
  readonly ipallocRange?: string;
  readonly ipallocDefaultSubnet?: string;
  readonly ipallocInit?: string;
  readonly dns?: boolean;
  readonly dnsDomain?: string;
  readonly dnsTtl?: number;
  readonly dnsListenAddress?: string[];
  readonly resolvConf?: string;
  readonly statusAddr?: string;
  readonly statusPublic?: boolean;
  readonly hooksDir?: string;
}

const HELP = `
Without --token or a password: the network of the last launch on this host, else a new one. What was chosen at an earlier
launch (port, bridge, …) holds until it is chosen anew; \`weft reset\` forgets it. So do the peers: those that are named
now take the place of all earlier ones, with what \`weft connect\` and \`weft forget\` made of them. The addresses of a
token are added.

Sources (--discover), which are asked again and again; docs/guide.md, "Discovery":
  dns:NAME[:PORT]              all addresses of a name; of _SERVICE._tcp.NAME all places that its SRV records name
  file:PATH                    a file with host[:port] on each line
  exec:PROGRAM                 what a program prints, in the same way
  etcd:http://HOST:PORT/PREFIX
                               an etcd, where each router writes itself, too
  consul:http://HOST:PORT/SERVICE
                               a service of Consul, which each router registers with, too
  kubernetes:[SERVICE[.NAMESPACE]]
                               the nodes of the cluster that the router is a pod of, or what stands behind a service
  mdns:[SERVICE]               routers of this network on the same LAN, which hear of this one, too

Examples:
  weft launch                                      a new network; prints the line that joins other hosts
  weft launch --token weft1…                       join it: the line that the first host printed
  weft launch --password-file /etc/weft/password 192.0.2.1
                                                   the same command on every host, as with Weave
  weft launch --admin --admin-key /media/key       a network whose administrator keeps the key elsewhere
  weft launch --docker                             \`docker run --network weft\` works on this host
  weft launch --foreground                         for a service manager
  weft launch --run-dir /run/weft2 --state-dir /var/lib/weft2 --port 6793 --bridge weft2 --status-addr 127.0.0.1:6792
                                                   a second router on the same host`;

/** `weft launch` */
export function registerLaunch(program: Command): void {
  const command = program
    .command('launch')
    .summary('start the router of this host')
    .description('Starts the router of this host and returns when it works.')
    .argument('[peer...]', 'routers to connect to: host, host:port or [IPv6]:port')
    .option('--token <token>', 'join the network that this token is of (or set WEFT_TOKEN)')
    .option(
      '--password-file <file>',
      'join the network whose password is in this file (or set WEFT_PASSWORD)',
    )
    .option('--password <password>', 'the same, but others on this host see it in the list of processes')
    .option(
      '--admin',
      'make a network with an administrator: only who has its key can expel and remove routers, and rotate the token',
    )
    .option(
      '--admin-key <file>',
      'with --admin: where that key is, or is made (default: admin.json in the state directory)',
      (path) => resolve(path),
    )
    .option('--foreground', 'stay, and log to stdout: for people on a terminal, else as JSON lines')
    .option('--docker', 'be a network plugin of Docker, too, from now on: see `weft docker`')
    .addOption(
      new Option(
        '--docker-swarm',
        'be the managed plugin that serves the networks of a Docker swarm: see docs/docker.md',
      ).conflicts('docker'),
    )
    .option(
      '--kubernetes',
      'have the cluster say which nodes and network policies there are, from now on: see docs/kubernetes.md',
    )
    .option('--no-kubernetes', 'have no cluster say anything (the default)')
    .option('--port <port>', 'for both TCP and UDP (default: 6783)', wholeNumber(1, 65_535))
    .option('--bridge <name>', 'bridge that containers are put on (default: weft)')
    .option('--nickname <name>', 'shown beside the peer id (default: the host name)')
    .addOption(
      new Option(
        '--cipher <cipher>',
        'the only one to use (default: auto, the fastest that both ends have)',
      ).choices(['auto', 'xsalsa20-poly1305', 'chacha20-poly1305', 'aes-256-gcm']),
    )
    .option(
      '--mtu <bytes>',
      'of the containers (default: auto, what fits the way to the peers)',
      autoOrNumber(1280, 64_946),
    )
    .addOption(
      new Option('--log-level <level>', 'how much to log (default: info)').choices([
        'error',
        'warn',
        'info',
        'debug',
      ]),
    )
    .option(
      '--rekey-interval <seconds>',
      'age at which session keys are renewed (default: 120)',
      wholeNumber(1, 3_600),
    )
    .option(
      '--workers <count>',
      `threads of the forwarder, 1 to ${MAX_WORKERS} (default: auto)`,
      autoOrNumber(1, MAX_WORKERS),
    )
    .option(
      '--udp-ports <count>',
      `send from so many UDP ports, 1 to ${MAX_UDP_PORTS}, so that links and limits of single flows between two hosts do not bind all that goes between them; none more must be open (default: 1)`,
      wholeNumber(1, MAX_UDP_PORTS),
    )
    .option(
      '--no-offload <name>',
      `do without a kernel offload (${OFFLOADS.join(', ')}); repeatable`,
      collectOf(OFFLOADS),
    )
    .option(
      '--storm-limit <frames>',
      'storm control: broadcasts and frames to unknown addresses that a network may send in a second, for each worker; 0 or none: no limit (default: 5000)',
      noneOrNumber(MAX_STORM_LIMIT),
    )
    .option(
      '--advertise <address>',
      'host[:port] that others reach this host at, a DNS name or an address; repeatable',
      collect,
    )
    .option('--discovery', 'dial members as they become known (the default)')
    .option('--no-discovery', 'dial the given routers only, not those that they know')
    .option(
      '--discover <source>',
      'connect to the routers that this source knows, as KIND:ARGUMENT; repeatable; "none" ends it (or set WEFT_DISCOVER)',
      collect,
    )
    .option(
      '--conn-limit <count>',
      'maximum number of control links (default: auto, as many as it takes)',
      autoOrNumber(1, 10_000),
    )
    .option(
      '--trusted-subnets <subnets>',
      'do not encrypt data with routers in these subnets (10.0.0.0/8,…) that trust ours, too; "none" ends it (default: none)',
      subnets,
    )
    .option(
      '--fast-datapath',
      'leave frames to the kernel (VXLAN, UDP port --port + 1) where both ends trust the wire (the default)',
    )
    .option('--no-fast-datapath', 'have the forwarder carry all frames')
    .option(
      '--ipalloc-range <cidr>',
      'whose addresses containers are given (default: 10.32.0.0/12); the same on every host',
    )
    .option('--ipalloc-default-subnet <cidr>', 'part of it for whoever names none (default: all of it)')
    .option(
      '--ipalloc-init <how>',
      'with a password, who shares the range at first: consensus[=N] (default: all that are named), seed=PEER,… or observer',
    )
    .option('--dns', 'serve names to containers (the default)')
    .option('--no-dns', 'serve no names on this host')
    .option('--dns-domain <domain>', 'of containers’ names (default: weft.local); the same on every host')
    .option('--dns-ttl <seconds>', 'of answers about containers (default: 1)', wholeNumber(0, 86_400))
    .option(
      '--dns-listen-address <address>',
      'address[:port] of this host to serve names at while the host has it, besides 169.254.53.53 in containers; repeatable',
      collect,
    )
    .option(
      '--resolv-conf <file>',
      'names the servers for all other names (default: /etc/resolv.conf)',
      (path) => resolve(path),
    )
    .option(
      '--status-addr <address>',
      'address[:port] of this host where metrics and health can be read by HTTP; none: nowhere (default: 127.0.0.1:6782)',
    )
    .option(
      '--status-public',
      'with --status-addr: it is not of the loopback, and whoever gets there may read who takes part and how much traffic flows',
    )
    .option(
      '--hooks-dir <dir>',
      'its programs are run when something happens, see docs/observe.md (default: /etc/weft/hooks.d)',
      (path) => resolve(path),
    )
    .addHelpText('after', HELP)
    .action(launch);
  withCommonOptions(command);
}

async function launch(peers: readonly string[], options: LaunchOptions): Promise<void> {
  for (const peer of peers) parseTarget(peer);
  for (const address of options.advertise ?? []) parseAdvertised(address);
  checkStatusAddress(options);
  const { KUBECONFIG: kubeconfig = '' } = process.env;
  if (kubeconfig !== '') process.env.KUBECONFIG = resolve(kubeconfig); // the router runs elsewhere
  if (options.foreground) await launchHere(peers, options);
  else await launchDaemon(peers, options);
}

async function launchDaemon(peers: readonly string[], options: LaunchOptions): Promise<void> {
  const credentials = await readCredentials(options);
  const ready = await interruptibly(async (interrupted) => {
    const daemon = startDaemon(options);
    const progress = showProgress('launching');
    try {
      const request = await makeRequest(peers, options, credentials).catch(async (error: unknown) => {
        await daemon.cancel();
        throw error;
      });
      return await daemon.launch(request, interrupted);
    } finally {
      progress.stop();
    }
  });
  const text = (found: Ready) =>
    describe(found, credentials !== undefined) + adminText(options) + dockerText(options);
  await print(options, ready, text).catch(stillRuns);
}

/** What is not told has happened all the same: whoever launches again must know. */
function stillRuns(error: unknown): never {
  if (!(error instanceof WeftError) || error.code !== 'output-failed') throw error;
  const message = `the router runs, but ${error.message}: \`weft status\` and \`weft token\` show it`;
  throw new WeftError(error.code, message, { cause: error });
}

/** The signal that the work is given comes with Ctrl-C, once; a second one ends us. */
async function interruptibly<T>(work: (interrupted: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = () => controller.abort();
  for (const signal of INTERRUPTS) process.once(signal, abort);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of INTERRUPTS) process.off(signal, abort);
  }
}

async function launchHere(peers: readonly string[], options: LaunchOptions): Promise<void> {
  const request = await makeRequest(peers, options, await readCredentials(options));
  const terminal = process.stdout.isTTY;
  await runRouter(request, terminal ? 'terminal' : 'stdout', async (ready) => {
    // A service manager gets the log only, which says "ready": it keeps what is printed, and that holds a secret.
    if (terminal)
      await print(
        options,
        ready,
        (found) => describe(found, request.network !== undefined) + adminText(options) + dockerText(options),
      );
  });
  process.exit(0);
}

/** Others are to read of this router only where somebody wants that. */
function checkStatusAddress({ statusAddr, statusPublic = false }: LaunchOptions): void {
  if (statusAddr === undefined) {
    if (statusPublic) throw usageError('give --status-public with --status-addr only');
    return;
  }
  const address = parseStatusAddress(statusAddr);
  if (address === undefined || isLoopback(address) || statusPublic) return;
  throw usageError(
    `--status-addr ${statusAddr} lets other hosts read who takes part and how much traffic flows: give --status-public, too, if they may`,
  );
}

/** The router checks each. */
function subnets(text: string): string[] {
  return text === 'none' ? [] : text.split(',').map((subnet) => subnet.trim());
}

type Credentials = { readonly token: string } | { readonly password: string } | undefined;

/** At most one of token and passwords; the environment counts only when nothing is said on the command line. */
async function readCredentials({ token, password, passwordFile }: LaunchOptions): Promise<Credentials> {
  process.title = 'weft launch'; // everybody on this host can read our arguments as long as we run
  const { WEFT_TOKEN = '', WEFT_PASSWORD = '' } = process.env;
  for (const name of ['WEFT_TOKEN', 'WEFT_PASSWORD']) delete process.env[name]; // no child needs it
  const given = [token, password, passwordFile].filter((value) => value !== undefined);
  if (given.length > 1) throw usageError('give only one of --token, --password and --password-file');
  if (token !== undefined) return { token };
  if (passwordFile !== undefined) return { password: await readPasswordFile(passwordFile) };
  if (password !== undefined) return { password: checkPassword(password, 'the value of --password') };
  if (WEFT_TOKEN !== '' && WEFT_PASSWORD !== '')
    throw usageError('set only one of WEFT_TOKEN and WEFT_PASSWORD');
  if (WEFT_TOKEN !== '') return { token: WEFT_TOKEN };
  if (WEFT_PASSWORD === '') return undefined;
  return { password: checkPassword(WEFT_PASSWORD, 'WEFT_PASSWORD') };
}

async function makeRequest(
  peers: readonly string[],
  options: LaunchOptions,
  credentials: Credentials,
): Promise<LaunchRequest> {
  const { runDir, stateDir } = options;
  const network = await networkOf(credentials);
  refuseAdminOf(network, options);
  const adminKey = adminKeyOf(options);
  return {
    runDir,
    stateDir,
    settings: chosenSettings(options),
    ...(network === undefined ? {} : { network }),
    ...(adminKey === undefined ? {} : { adminKey }),
    ...(options.docker && { docker: 'host' }),
    ...(options.dockerSwarm && { docker: 'swarm' }),
    peers: [...peers],
  };
}

/** Undefined without --admin. */
function adminKeyOf({ admin = false, adminKey, stateDir }: LaunchOptions): string | undefined {
  return admin ? (adminKey ?? adminKeyPath(stateDir)) : undefined;
}

function refuseAdminOf(network: LaunchRequest['network'], { admin = false, adminKey }: LaunchOptions): void {
  if (!admin && adminKey !== undefined) throw usageError('give --admin-key with --admin only');
  if (!admin) return;
  if (network?.mode === 'token') {
    throw usageError(
      'give one of --admin and --token: a token says whether its network has an administrator',
    );
  }
  if (network?.mode === 'password') {
    throw usageError(
      'a network with a password has no administrator: a password cannot say whose word counts',
    );
  }
}

/** A password is stretched here, so that its 64 MiB are never the daemon's. */
async function networkOf(credentials: Credentials): Promise<LaunchRequest['network']> {
  if (credentials === undefined) return undefined;
  if ('token' in credentials) return { token: credentials.token, mode: 'token' };
  const { encodeToken, networkFromPassword } = await import('../../identity/index.js');
  const { secrets } = await networkFromPassword(credentials.password);
  return { token: encodeToken({ secret: secrets[0], addresses: [] }), mode: 'password' };
}

function chosenSettings(options: LaunchOptions): ChosenSettings {
  const { port, bridge, nickname, cipher, mtu, logLevel, rekeyInterval, workers, offload } = options;
  const { kubernetes, advertise, discovery, connLimit, trustedSubnets, fastDatapath } = options;
  const disabledOffloads = offload === true ? undefined : offload;
  const { udpPorts, stormLimit } = options;
  const forwarder = { workers, udpPorts, disabledOffloads, stormLimit };
  const chosen = { port, bridge, nickname, cipher, mtu, logLevel, rekeyInterval, ...forwarder };
  const { ipallocRange, ipallocDefaultSubnet, ipallocInit } = options;
  const addresses = { ipallocRange, ipallocDefaultSubnet, ipallocInit };
  const { dns, dnsDomain, dnsTtl, dnsListenAddress: dnsListen, resolvConf, hooksDir } = options;
  const names = { dns, dnsDomain, dnsTtl, dnsListen, resolvConf };
  const { statusAddr } = options;
  const all = {
    ...chosen,
    kubernetes,
    advertise,
    discovery,
    discover: sourcesOf(options),
    connLimit,
    trustedSubnets,
    fastDatapath,
    ...addresses,
    ...names,
    statusAddr,
    hooksDir,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** The environment counts only when nothing is said on the command line. */
function sourcesOf({ discover }: LaunchOptions): string[] | undefined {
  const { WEFT_DISCOVER = '' } = process.env;
  delete process.env.WEFT_DISCOVER; // it may hold a password, which no child needs
  const given = discover ?? WEFT_DISCOVER.split(/\s+/).filter(Boolean);
  if (given.length === 0) return undefined;
  return given.filter((source) => source !== 'none');
}

function adminText(options: LaunchOptions): string {
  const path = adminKeyOf(options);
  if (path === undefined) return '';
  return `\nthe administrator's key is in ${path}: keep a copy of it elsewhere; only with it routers can be expelled and removed, and the token rotated\n`;
}

function dockerText({ docker = false }: LaunchOptions): string {
  return docker ? '\nDocker has a network "weft" as soon as it runs: `weft docker status` shows it\n' : '';
}

function describe(
  { peer, nickname, network, mode, resumed, port, bridge, mtu, dnsWaiting, join }: Ready,
  joined: boolean,
): string {
  const origin = resumed
    ? 'as before'
    : mode === 'password'
      ? 'joined by password'
      : joined
        ? 'joined'
        : 'new';
  return [
    `router ${peer} (${nickname}) is ready: TCP and UDP ${port}, bridge ${bridge}, MTU ${mtu}`,
    `network ${network}, ${origin}`,
    ...dnsWaiting.map((place) => `names: waiting ${waitingText(place)}`),
    'join it from another host with:',
    '',
    `    ${join}`,
    '',
  ].join('\n');
}

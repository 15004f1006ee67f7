import { resolve } from 'node:path';
import type { Command } from 'commander';
import {
  type ChosenSettings,
  type LaunchRequest,
  type Ready,
  runRouter,
  startDaemon,
  takeServiceManager,
} from '../../daemon/index.js';
import { messageOf, WeftError } from '../../errors.js';
import { adminKeyPath } from '../../identity/paths.js';
import { isLoopback, parseAdvertised, parseStatusAddress, parseTarget } from '../../net/index.js';
import { usageError } from '../errors.js';
import { type LaunchOptions, readyText, withLaunchOptions } from '../launch/index.js';
import { withCommonOptions } from '../options.js';
import { checkPassword, readPasswordFile } from '../password.js';
import { print, qrCodeHere, showProgress } from '../terminal/index.js';

const INTERRUPTS = ['SIGINT', 'SIGTERM'] as const;

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
    .argument('[host...]', 'routers to connect to: host, host:port or [IPv6]:port')
    .addHelpText('after', HELP)
    .action(launch);
  withCommonOptions(withLaunchOptions(command));
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
  await tell(ready, credentials !== undefined, options).catch(stillRuns);
}

async function tell(ready: Ready, joined: boolean, options: LaunchOptions): Promise<void> {
  const { docker = false, qr = false } = options;
  const code = qr ? await qrCodeHere(ready.join).catch(messageOf) : undefined;
  await print(options, ready, () =>
    readyText({ ...ready, joined, docker, adminKey: adminKeyOf(options), qr: code }),
  );
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
  const manager = takeServiceManager(); // before anything is started that could inherit it
  const request = await makeRequest(peers, options, await readCredentials(options));
  const terminal = process.stdout.isTTY;
  const onReady = async (ready: Ready) => {
    // A service manager gets the log only, which says "ready": it keeps what is printed, and that holds a secret.
    if (terminal) await tell(ready, request.network !== undefined, options);
  };
  await runRouter(request, terminal ? 'terminal' : 'stdout', onReady, manager);
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

import { type Command, Option } from 'commander';
import type { ChosenSettings } from '../../daemon/index.js';
import { MAX_STORM_LIMIT, MAX_UDP_PORTS, MAX_WORKERS, OFFLOADS } from '../../forwarder/limits.js';
import {
  autoOrNumber,
  type CommonOptions,
  collect,
  collectOf,
  directory,
  noneOrNumber,
  wholeNumber,
} from '../options.js';

export interface LaunchOptions extends CommonOptions {
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
  readonly qr?: boolean;
}

/** Adds the options of `weft launch`, those that most people need first. */
export function withLaunchOptions(command: Command): Command {
  for (const add of [mostUsed, ofNetwork, ofWays, ofAddresses, ofTraffic, ofPlatforms, ofRunning])
    add(command);
  return command;
}

function mostUsed(command: Command): void {
  command
    .optionsGroup('Most used:')
    .option('--token <token>', 'join the network that this token is of (or set WEFT_TOKEN)')
    .option('--password-file <file>', 'join the network whose password is in this file')
    .option('--nickname <name>', 'shown beside the peer id (default: the host name)')
    .option(
      '--advertise <address>',
      'host[:port] that others reach this host at, a DNS name or an address; repeatable',
      collect,
    )
    .option('--docker', 'be a network plugin of Docker, too, from now on: see `weft docker`');
}

function ofNetwork(command: Command): void {
  command
    .optionsGroup('Network and its administrator:')
    .option('--qr', 'show the line that joins other hosts as a QR code, too')
    .option(
      '--password <password>',
      'join the network of this password, which others on this host see in the list of processes (or set WEFT_PASSWORD)',
    )
    .option(
      '--admin',
      'make a network with an administrator: only who has its key can expel and remove routers, and rotate the token',
    )
    .option(
      '--admin-key <file>',
      'with --admin: where that key is, or is made (default: admin.json in the state directory)',
      directory,
    );
}

function ofWays(command: Command): void {
  command
    .optionsGroup('Ways to other hosts:')
    .option('--port <port>', 'for both TCP and UDP (default: 6783)', wholeNumber(1, 65_535))
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
    );
}

function ofAddresses(command: Command): void {
  command
    .optionsGroup('Addresses and names:')
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
      directory,
    );
}

function ofTraffic(command: Command): void {
  command
    .optionsGroup('Encryption and throughput:')
    .addOption(
      new Option(
        '--cipher <cipher>',
        'the only one to use (default: auto, the fastest that both ends have)',
      ).choices(['auto', 'xsalsa20-poly1305', 'chacha20-poly1305', 'aes-256-gcm']),
    )
    .option(
      '--rekey-interval <seconds>',
      'age at which session keys are renewed (default: 120)',
      wholeNumber(1, 3_600),
    )
    .option(
      '--mtu <bytes>',
      'of the containers (default: auto, what fits the way to the peers)',
      autoOrNumber(1280, 64_946),
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
      '--workers <count>',
      `threads of the forwarder, 1 to ${MAX_WORKERS} (default: auto)`,
      autoOrNumber(1, MAX_WORKERS),
    )
    .option(
      '--udp-ports <count>',
      `send from so many UDP ports, 1 to ${MAX_UDP_PORTS}, so that links and limits of single flows between two hosts do not bind all that goes between them; none more must be open (default: 1)`,
      wholeNumber(1, MAX_UDP_PORTS),
    )
    .addOption(
      new Option('--no-offload <offload>', 'do without a kernel offload; repeatable')
        .choices(OFFLOADS)
        .argParser(collectOf(OFFLOADS)),
    )
    .option(
      '--storm-limit <frames>',
      'storm control: broadcasts and frames to unknown addresses that a network may send in a second, for each worker; 0 or none: no limit (default: 5000)',
      noneOrNumber(MAX_STORM_LIMIT),
    );
}

function ofPlatforms(command: Command): void {
  command
    .optionsGroup('Platforms:')
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
    .option('--no-kubernetes', 'have no cluster say anything (the default)');
}

function ofRunning(command: Command): void {
  command
    .optionsGroup('Running, and being watched:')
    .option('--foreground', 'stay, and log to stdout: for people on a terminal, else as JSON lines')
    .option('--bridge <name>', 'bridge that containers are put on (default: weft)')
    .addOption(
      new Option('--log-level <level>', 'how much to log (default: info)').choices([
        'error',
        'warn',
        'info',
        'debug',
      ]),
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
      directory,
    );
}

/** The router checks each. */
function subnets(text: string): string[] {
  return text === 'none' ? [] : text.split(',').map((subnet) => subnet.trim());
}

/** The checks of `weft doctor`: each looks at one thing and says what it found and what to do about it. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Datapath, Status } from '../api/index.js';
import { messageOf, systemCode } from '../errors.js';
import { locateForwarder, selfTest } from '../forwarder/index.js';
import {
  chooseMtu,
  DEFAULT_BRIDGE,
  droppingChains,
  filteredFamilies,
  kernelFault,
  kernelVersion,
  MIN_MTU,
  missingCapabilities,
  missingCommands,
  namespaceFault,
  packageOf,
  tunFault,
  waysTo,
} from '../hostnet/index.js';
import { lostWayRemedy, lostWays, lostWayText } from '../overlay/index.js';
import { installing } from './distribution.js';

export type Level = 'ok' | 'warn' | 'fail';

export interface Finding {
  readonly check: string;
  readonly level: Level;
  readonly finding: string;
  readonly remedy?: string;
}

export interface DiagnosisOptions {
  readonly port: number;
  /** What the router that runs with our run directory tells. */
  readonly router: Status | undefined;
  /** The routers that it knows or dials, and the IP addresses at which it reaches or seeks them. */
  readonly peers: readonly SoughtPeer[];
  /** Of the running router, if it told. */
  readonly datapath: Datapath | undefined;
}

export interface SoughtPeer {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** Undefined: there is nothing to look at. */
type Check = (options: DiagnosisOptions) => Promise<Omit<Finding, 'check'> | undefined>;

const CHECKS: Readonly<Record<string, Check>> = {
  kernel,
  privileges,
  'TAP device': tapDevice,
  commands,
  forwarder,
  MTU: mtu,
  port,
  routes,
  clock,
  'bridge filter': bridgeFilter,
  'storm control': stormControl,
  interfaces,
  'status address': statusAddress,
  'forwarder version': forwarderVersion,
};

/** Runs all checks at the same time. One that cannot be made is a warning. */
export async function diagnose(options: DiagnosisOptions): Promise<Finding[]> {
  const findings = await Promise.all(
    Object.entries(CHECKS).map(async ([check, look]) => {
      try {
        const found = await look(options);
        return found === undefined ? [] : [{ check, ...found }];
      } catch (error) {
        const finding = `could not be checked: ${messageOf(error)}`;
        return [{ check, level: 'warn' as const, finding }];
      }
    }),
  );
  return findings.flat();
}

async function kernel(): Promise<Omit<Finding, 'check'>> {
  const fault = kernelFault();
  if (fault === undefined) return { level: 'ok', finding: `Linux ${kernelVersion().join('.')}` };
  return { level: 'fail', ...fault };
}

async function privileges(): Promise<Omit<Finding, 'check'>> {
  const missing = await missingCapabilities();
  if (missing.length > 0)
    return { level: 'fail', finding: `without ${missing.join(' and ')}`, remedy: 'run weft as root' };
  const fault = await namespaceFault();
  if (fault === undefined) return { level: 'ok', finding: 'may change the network and enter namespaces' };
  return {
    level: 'fail',
    finding: `may not enter namespaces, though it has the capabilities: ${fault}`,
    remedy:
      'a seccomp profile forbids it, or a security module: an engine lets a container do so that is started with `--cap-add SYS_ADMIN`, or with `--security-opt seccomp=unconfined`',
  };
}

async function tapDevice(): Promise<Omit<Finding, 'check'>> {
  const fault = await tunFault();
  if (fault === undefined) return { level: 'ok', finding: '/dev/net/tun can be opened' };
  const remedy =
    fault === 'ENOENT'
      ? '`modprobe tun`; in a container: give it the device /dev/net/tun'
      : 'run weft as root; in a container: give it the device /dev/net/tun';
  return { level: 'fail', finding: `/dev/net/tun cannot be opened (${fault})`, remedy };
}

async function commands(): Promise<Omit<Finding, 'check'>> {
  const missing = await missingCommands(['ip', 'nsenter', 'sh', 'nft']);
  if (missing.length === 0) return { level: 'ok', finding: 'ip, nsenter, sh and nft are there' };
  const remedy = installing([...new Set(missing.map(packageOf))]);
  const level = missing.every((name) => name === 'nft') ? 'warn' : 'fail';
  return { level, finding: `missing: ${missing.join(', ')}`, remedy };
}

async function forwarder(): Promise<Omit<Finding, 'check'>> {
  let report: Awaited<ReturnType<typeof selfTest>>;
  try {
    report = await selfTest(locateForwarder());
  } catch (error) {
    const finding = messageOf(error);
    return { level: 'fail', finding, remedy: 'build weft on this host: `make install`' };
  }
  const missing = report.offloads.filter(({ available }) => !available);
  if (missing.length === 0) return { level: 'ok', finding: 'runs, with all offloads of the kernel' };
  const finding = `runs, without ${missing.map(({ name, reason }) => (reason ? `${name} (${reason})` : name)).join(', ')}`;
  return { level: 'warn', finding, remedy: 'slower, but correct: a newer kernel has these offloads' };
}

async function mtu(): Promise<Omit<Finding, 'check'>> {
  const chosen = await chooseMtu([]);
  if (chosen > MIN_MTU) return { level: 'ok', finding: `containers get ${chosen}` };
  return {
    level: 'warn',
    finding: `the way to other hosts is so narrow that full-size packets of containers (${chosen}) are fragmented`,
    remedy: 'raise the MTU of the interface that leads to the other hosts to 1362 or more',
  };
}

async function port({ port, router }: DiagnosisOptions): Promise<Omit<Finding, 'check'>> {
  if (router?.port === port) return { level: 'ok', finding: `${port} is in use by the running router` };
  const taken = [...((await tcpFree(port)) ? [] : ['TCP']), ...((await udpFree(port)) ? [] : ['UDP'])];
  if (taken.length === 0) return { level: 'ok', finding: `TCP and UDP ${port} are free` };
  return {
    level: 'fail',
    finding: `${taken.join(' and ')} ${port} is in use`,
    remedy: `\`ss -lnptu sport = :${port}\` shows by whom; or launch with another --port`,
  };
}

/** Maximum number of addresses that are looked for in the routes. */
const MAX_ADDRESSES = 256;

/** Packets for another router that end up in weft's own bridge (a default route through the overlay) go nowhere. */
async function routes({ router, peers }: DiagnosisOptions): Promise<Omit<Finding, 'check'>> {
  if (router === undefined) return { level: 'ok', finding: 'no router runs whose peers could be looked for' };
  const addresses = [...new Set(peers.flatMap((peer) => peer.addresses))].slice(0, MAX_ADDRESSES);
  const ways = await waysTo(addresses, router.peer);
  const found = peers.flatMap(({ name, addresses: of }) => {
    const lost = lostWays(of, ways);
    return lost === undefined ? [] : [{ name, lost }];
  });
  const [first] = found;
  if (first === undefined) return { level: 'ok', finding: 'no way to a peer leads into weft’s own bridge' };
  return {
    level: found.every(({ lost }) => lost.others) ? 'warn' : 'fail',
    finding: found.map(({ name, lost }) => `${name}: ${lostWayText(lost)}`).join('; '),
    remedy: lostWayRemedy(first.lost),
  };
}

async function tcpFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port);
    await once(server, 'listening');
    return true;
  } catch (error) {
    if (systemCode(error) === 'EADDRINUSE') return false;
    throw error;
  } finally {
    server.close();
  }
}

async function udpFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port);
    await once(socket, 'listening');
    return true;
  } catch (error) {
    if (systemCode(error) === 'EADDRINUSE') return false;
    throw error;
  } finally {
    socket.close();
  }
}

/** Long before this program was written: the clock was never set. */
const EARLIEST = Date.UTC(2026, 0, 1);

async function clock(): Promise<Omit<Finding, 'check'>> {
  const now = new Date().toISOString();
  if (Date.now() >= EARLIEST) return { level: 'ok', finding: now };
  return {
    level: 'fail',
    finding: `${now} cannot be`,
    remedy:
      'set the clock (`timedatectl set-ntp true`): after a restart other routers would take ours for an older one',
  };
}

/** br_netfilter hands bridged frames to the host's packet filter, which usually drops what it does not know. */
async function bridgeFilter({ router }: DiagnosisOptions): Promise<Omit<Finding, 'check'>> {
  const families = await filteredFamilies();
  if (families.length === 0) {
    return { level: 'ok', finding: 'bridged frames do not pass the host’s packet filter' };
  }
  const bridge = router?.bridge ?? DEFAULT_BRIDGE;
  const chains = await droppingChains(bridge, families, router === undefined);
  if (chains.length === 0) {
    return {
      level: 'ok',
      finding: `bridged frames pass the host’s packet filter, which lets those of ${bridge} pass${costOf(router)}`,
    };
  }
  return {
    level: 'warn',
    finding: `bridged frames pass the host’s packet filter, which drops those of ${bridge} (${chains.join('; ')})`,
    remedy: `let weft’s bridge pass (\`iptables -I FORWARD -i ${bridge} -o ${bridge} -j ACCEPT\`), or \`sysctl net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0\``,
  };
}

/** What stays in the kernel is fast, but for this. */
function costOf(router: DiagnosisOptions['router']): string {
  return (router?.trustedSubnets.length ?? 0) === 0
    ? ''
    : '; that costs speed between hosts that trust the wire (`sysctl net.bridge.bridge-nf-call-iptables=0` where nothing needs it)';
}

/** What the router made on this host, as it finds it now. */
async function interfaces({ router }: DiagnosisOptions): Promise<Omit<Finding, 'check'> | undefined> {
  if (router === undefined) return undefined;
  const { bridge } = router;
  const faults = router.faults.filter((fault) => !isOfStatusAddress(fault));
  if (faults.length === 0) {
    return {
      level: 'ok',
      finding: `the bridge ${bridge} and all that belongs to it are as the router made them`,
    };
  }
  return {
    level: 'fail',
    finding: faults.join('; '),
    remedy:
      'the router puts it right within seconds; if it comes again, something on this host (NetworkManager, systemd-networkd, a firewall, sysctl) does it: have that leave weft’s interfaces alone',
  };
}

async function statusAddress({ router }: DiagnosisOptions): Promise<Omit<Finding, 'check'> | undefined> {
  if (router === undefined || router.statusAddress === null) return undefined;
  const fault = router.faults.find(isOfStatusAddress);
  if (fault === undefined)
    return { level: 'ok', finding: `metrics and health are served at ${router.statusAddress}` };
  return {
    level: 'fail',
    finding: fault,
    remedy:
      'end the program that has the address (`ss -lntp` shows which), or launch again with another --status-addr, or none',
  };
}

function isOfStatusAddress(fault: string): boolean {
  return fault.startsWith('metrics are not served at ');
}

/** One that was started before the last upgrade goes on. */
async function forwarderVersion({ router }: DiagnosisOptions): Promise<Omit<Finding, 'check'> | undefined> {
  const version = router?.forwarder.version;
  if (router === undefined || version === undefined || version === null) return undefined;
  if (version === router.version)
    return { level: 'ok', finding: `the running one is of version ${version}, as the router` };
  return {
    level: 'warn',
    finding: `the running one is of version ${version}, and the router of ${router.version}`,
    remedy: 'exchange it: `weft restart-forwarder`, which interrupts traffic for a tenth of a second',
  };
}

/** What was dropped once stays counted until the forwarder is started again. */
async function stormControl({ datapath }: DiagnosisOptions): Promise<Omit<Finding, 'check'>> {
  if (datapath === undefined) return { level: 'ok', finding: 'no router runs that could drop broadcasts' };
  const { stormLimit } = datapath.forwarder;
  const dropped = datapath.counters.dropped_storm ?? 0;
  if (dropped === 0) return { level: 'ok', finding: 'no broadcast was dropped by the storm limit' };
  const limit = stormLimit === 0 ? 'it is off by now' : `${stormLimit} a second`;
  return {
    level: 'warn',
    finding: `${dropped} broadcasts (or frames to unknown addresses) were dropped by the storm limit (${limit})`,
    remedy:
      'find out who sends so many (`tcpdump -ni weft broadcast`), or launch again with a higher --storm-limit, or none',
  };
}

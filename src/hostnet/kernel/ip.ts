/** `ip`, with JSON out and batches in; in our own network namespace or in another one. */
import Type, { type Static } from 'typebox';
import { systemCode } from '../../errors.js';
import { validator } from '../../validate.js';
import { CommandFailed, run, runWithAnswer } from './command.js';

const Address = Type.Object({
  family: Type.String(),
  local: Type.Optional(Type.String()),
  prefixlen: Type.Integer(),
  scope: Type.Optional(Type.String()),
  temporary: Type.Optional(Type.Boolean()),
  deprecated: Type.Optional(Type.Boolean()),
});

const Link = Type.Object({
  ifname: Type.Optional(Type.String()),
  flags: Type.Optional(Type.Array(Type.String())),
  mtu: Type.Optional(Type.Integer()),
  master: Type.Optional(Type.String()),
  operstate: Type.Optional(Type.String()),
  address: Type.Optional(Type.String()),
  ifalias: Type.Optional(Type.String()),
  linkinfo: Type.Optional(
    Type.Object({
      info_kind: Type.Optional(Type.String()),
      /** Other things for each kind. */
      info_data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      info_slave_data: Type.Optional(
        Type.Object({
          state: Type.Optional(Type.String()),
          isolated: Type.Optional(Type.Boolean()),
          hairpin: Type.Optional(Type.Boolean()),
        }),
      ),
    }),
  ),
  addr_info: Type.Optional(Type.Array(Address)),
});

const Route = Type.Object({
  type: Type.Optional(Type.String()),
  dst: Type.Optional(Type.String()),
  dev: Type.Optional(Type.String()),
  gateway: Type.Optional(Type.String()),
  prefsrc: Type.Optional(Type.String()),
  metric: Type.Optional(Type.Integer()),
  metrics: Type.Optional(Type.Array(Type.Object({ mtu: Type.Optional(Type.Integer()) }))),
});

/** A network interface with its addresses, as `ip -json -details address show` tells it. */
export interface Link extends Static<typeof Link> {
  readonly ifname: string;
}
export type Route = Static<typeof Route>;

const parseLinks = validator('ip-output', 'the output of ip address', Type.Array(Link));
const parseRoutes = validator('ip-output', 'the output of ip route', Type.Array(Route));

/** Where a command runs: undefined is our own network namespace, else the path of another one. */
export type NamespacePath = string | undefined;

/** All interfaces of a namespace. */
export async function links(namespace?: NamespacePath): Promise<Link[]> {
  return named(parseLinks(await ipJson(['-details', 'address', 'show'], namespace)));
}

/** One interface; undefined when there is none of that name. */
export async function link(name: string, namespace?: NamespacePath): Promise<Link | undefined> {
  try {
    const found = parseLinks(await ipJson(['-details', 'address', 'show', 'dev', name], namespace));
    return named(found)[0];
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Routes as `ip route ARGS` shows them; none when the kernel has no answer (unreachable, no IPv6). */
export async function routes(args: readonly string[], namespace?: NamespacePath): Promise<Route[]> {
  try {
    return parseRoutes(await ipJson(args, namespace));
  } catch (error) {
    if (error instanceof CommandFailed) return [];
    throw error;
  }
}

/** Answers of `ip route get`; errors, for what leads nowhere, are no answers. */
const GET_ALL = 'ip -json -force -batch - 2>/dev/null; exit 0';

/** The routes that the kernel would take to these IP addresses now; none for those to which it has none. One process for all. */
export async function routesTo(addresses: readonly string[]): Promise<Route[]> {
  if (addresses.length === 0) return [];
  const questions = addresses.map((address) => `route get ${address}\n`).join('');
  const answers = await run('sh', ['-c', GET_ALL], questions, 'ip');
  return answers.split('\n').flatMap((line) => (line.trim() === '' ? [] : parseRoutes(JSON.parse(line))));
}

/** Runs `ip` commands, one a line, in one process; stops at the first that fails. */
export async function ipBatch(lines: readonly string[], namespace?: NamespacePath): Promise<void> {
  await inNamespace(namespace, ['ip', '-batch', '-'], `${lines.join('\n')}\n`);
}

/** What is done to an interface in one process. */
export interface SetUp {
  readonly interface: string;
  /** What is written first: `FILE=VALUE`, where the file is there (this kernel may lack it). */
  readonly sysctls: readonly string[];
  /** `ip` commands; the first that fails ends all. */
  readonly lines: readonly string[];
  /** Those that come before them where the interface has IPv6. */
  readonly ipv6Lines: readonly string[];
  /** More of them, whose failure does not matter. */
  readonly attempts: readonly string[];
  /** Gets the interface as it is then, and gives one more `ip` command, which comes last. */
  readonly last: (found: Link) => Promise<string>;
}

const SET_UP = `
name=$1; sysctls=$2; ipv6=$3; lines=$4; attempts=$5
for each in $sysctls; do [ ! -e "\${each%=*}" ] || echo "\${each#*=}" >"\${each%=*}" || exit; done
no_ipv6=1; { read -r no_ipv6 <"/proc/sys/net/ipv6/conf/$name/disable_ipv6"; } 2>/dev/null
[ "$no_ipv6" != 0 ] || lines="$ipv6
$lines"
ip -json -details -batch - <<END || exit
$lines
address show dev $name
END
[ -z "$attempts" ] || echo "$attempts" | ip -force -batch - 2>/dev/null
read -r last
[ -z "$last" ] || exec ip $last`;

/** Sets an interface up and gives what it was before the last command; undefined when it is not there. */
export async function ipSetUp(set: SetUp, namespace: string): Promise<Link | undefined> {
  const lines = [set.ipv6Lines, set.lines, set.attempts].map((commands) => commands.join('\n'));
  const given = [set.interface, set.sysctls.join(' '), ...lines];
  const command = [`--net=${namespace}`, 'sh', '-c', SET_UP, 'sh', ...given];
  const found = (printed: string) => named(parseLinks(JSON.parse(printed)))[0];
  const answer = async (printed: string) => {
    const link = found(printed);
    return link === undefined ? '' : await set.last(link);
  };
  try {
    return found(await runWithAnswer('nsenter', command, answer, `ip in ${namespace}`));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Ties a MAC address to a port of a bridge for good: it does not move to another one that sends from it, either. */
export async function setForwarding(mac: string, port: string): Promise<void> {
  await run('bridge', ['fdb', 'replace', mac, 'dev', port, 'master', 'static', 'sticky']);
}

/** At which ports of a bridge these MAC addresses were seen last; those that were not are left out. */
export async function forwardingPorts(
  bridge: string,
  macs: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const lines = macs.map((mac) => `fdb get ${mac} br ${bridge}`);
  // It fails for those that are not there, after it has told the others.
  const output = await run('bridge', ['-force', '-batch', '-'], `${lines.join('\n')}\n`).catch(
    (error: unknown) => {
      if (error instanceof CommandFailed) return error.stdout;
      throw error;
    },
  );
  const found = output.matchAll(/^([0-9a-f:]{17}) dev (\S+) master /gm);
  return new Map([...found].map(([, mac = '', port = '']) => [mac, port]));
}

async function ipJson(args: readonly string[], namespace: NamespacePath): Promise<unknown> {
  const output = await inNamespace(namespace, ['ip', '-json', ...args]);
  return output.trim() === '' ? [] : JSON.parse(output);
}

function inNamespace(namespace: NamespacePath, command: readonly string[], input?: string): Promise<string> {
  const entered = namespace === undefined ? command : ['nsenter', `--net=${namespace}`, ...command];
  const [program = '', ...args] = entered;
  return run(program, args, input, namespace === undefined ? 'ip' : `ip in ${namespace}`);
}

/** `ip` prints empty objects for what a filter left out. */
function named(found: readonly Static<typeof Link>[]): Link[] {
  return found.flatMap((item) => (item.ifname === undefined ? [] : [{ ...item, ifname: item.ifname }]));
}

/** True when the command failed because the interface is not there (any more). */
export function isAbsent(error: unknown): boolean {
  return (
    systemCode(error) === 'command-failed' &&
    error instanceof CommandFailed &&
    /does not exist|cannot find device|no such device|cannot assign requested address/i.test(error.stderr)
  );
}

/** True when the command failed because an interface of that name is there already. */
export function isPresent(error: unknown): boolean {
  return error instanceof CommandFailed && /file exists/i.test(error.stderr);
}

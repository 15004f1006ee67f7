/**
 * The place of the DNS server on a bridge: a network namespace of its own, with the same addresses and the same MAC on every host. Its
 * bridge port and that of the TAP are both isolated, so no frame passes between them: each host's containers meet their own server only.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket as UdpSocket } from 'node:dgram';
import { Server as TcpServer } from 'node:net';
import { WeftError } from '../../errors.js';
import { INSPECTOR_FLAGS } from '../../node-flags.js';
import { bridgeAlias, ipBatch, link, ownerOf, setForwarding } from '../kernel/index.js';
import { removeLink } from './bridge.js';

/** Where containers ask for names. The IPv6 one is link-local: behind it stands `%` and the interface. */
export const RESOLVER_ADDRESS = '169.254.53.53';
export const RESOLVER_ADDRESS6 = 'fe80::53';

export const RESOLVER_MAC = '02:77:65:66:74:35';
const PORT = 53;
const OPEN_TIMEOUT = 10_000;
/** The interface in the namespace. */
const INSIDE = 'dns';
/** One socket of each kind for each family. */
const SOCKETS = 4;

export interface ResolverOptions {
  readonly bridge: string;
  /** Peer id of the router. */
  readonly owner: string;
  readonly mtu: number;
}

/** Bound sockets in the namespace, which lives as long as one of them does. */
export interface ResolverSockets {
  readonly udp: readonly UdpSocket[];
  readonly tcp: readonly TcpServer[];
}

/** The bridge's port that leads to the server. */
export function resolverPort(bridge: string): string {
  return `${bridge}-dns`;
}

/** The `ip` commands that show a container the way to the server, through its interface `inside`. They may be repeated. */
export function resolverRoutes(inside: string): string[] {
  return [
    `route replace ${RESOLVER_ADDRESS}/32 dev ${inside} scope link`,
    `neighbour replace ${RESOLVER_ADDRESS} lladdr ${RESOLVER_MAC} dev ${inside} nud permanent`,
  ];
}

/** Makes the namespace and its way to the bridge, and gives the sockets. Rejects with `resolver-failed`, `interface-taken`. */
export async function openResolver(options: ResolverOptions): Promise<ResolverSockets> {
  await removeFormer(options);
  const child = spawn('unshare', ['--net', process.execPath, ...INSPECTOR_FLAGS, '--eval', BIND_AND_SEND], {
    stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
  });
  try {
    const sockets = await receiveSockets(child);
    await plumb(options, `/proc/${child.pid}/ns/net`);
    return sockets;
  } finally {
    child.stdin?.destroy();
  }
}

/** Puts the port onto a bridge that was made anew, or back onto the one that somebody took it from. */
export async function plugResolver({ bridge, mtu }: ResolverOptions): Promise<void> {
  await ipBatch(plugLines(bridge, mtu));
  await pinMac(bridge);
}

/** Takes the port away; the namespace goes with its sockets. */
export async function closeResolver(bridge: string): Promise<void> {
  await removeLink(resolverPort(bridge));
}

/**
 * Runs in the namespace: binds, hands the sockets over, and ends when its input does, because it is told to or because the router is gone.
 * The channel does not tell: node says nothing of its end while a socket is on its way.
 */
const BIND_AND_SEND = `
  process.stdin.once('close', () => process.exit()).resume();
  const dgram = require('node:dgram'), net = require('node:net');
  const send = (kind, socket) => process.send(kind, socket, () => socket.close());
  for (const [type, host, ipv6Only] of [['udp4', '0.0.0.0', false], ['udp6', '::', true]]) {
    const fail = (error) => process.send(error.message);
    const udp = dgram.createSocket({ type, ipv6Only }).once('error', fail);
    udp.bind(${PORT}, host, () => send(type, udp));
    const tcp = net.createServer().once('error', fail);
    tcp.listen({ port: ${PORT}, host, ipv6Only }, () => send('tcp' + type.at(-1), tcp));
  }`;

/** The IPv6 ones are missing where the kernel has no IPv6. */
function receiveSockets(child: ChildProcess): Promise<ResolverSockets> {
  return new Promise((resolve, reject) => {
    const udp: UdpSocket[] = [];
    const tcp: TcpServer[] = [];
    const kinds: unknown[] = [];
    let said = '';
    let failed = false;
    const fail = (why: string) => {
      if (failed) return; // it is killed, and its end is told, too
      failed = true;
      clearTimeout(timer);
      child.kill('SIGKILL');
      for (const socket of [...udp, ...tcp]) socket.close();
      const message = `the DNS server gets no namespace of its own (${why}): run weft as root, or launch with --no-dns`;
      reject(new WeftError('resolver-failed', message));
    };
    const timer = setTimeout(() => fail('timed out'), OPEN_TIMEOUT);
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString().trim();
    });
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(said === '' ? `exit code ${code}` : said));
    child.on('message', (kind, socket: unknown) => {
      kinds.push(kind);
      if (socket instanceof UdpSocket) udp.push(socket);
      if (socket instanceof TcpServer) tcp.push(socket);
      if (failed && (socket instanceof UdpSocket || socket instanceof TcpServer)) socket.close();
      if (failed || kinds.length < SOCKETS) return;
      if (!kinds.includes('udp4') || !kinds.includes('tcp4')) return fail(kinds.join(', '));
      clearTimeout(timer);
      child.removeAllListeners('exit');
      resolve({ udp, tcp });
    });
  });
}

async function plumb({ bridge, owner, mtu }: ResolverOptions, namespace: string): Promise<void> {
  const port = resolverPort(bridge);
  await ipBatch([
    `link add name ${port} mtu ${mtu} type veth peer name ${INSIDE} mtu ${mtu} address ${RESOLVER_MAC} netns ${namespace}`,
    `link set dev ${port} alias ${bridgeAlias(owner)}`,
    `link set dev ${port} addrgenmode none`,
    ...plugLines(bridge, mtu),
  ]);
  await Promise.all([pinMac(bridge), addressInside(namespace)]);
}

function plugLines(bridge: string, mtu: number): string[] {
  const port = resolverPort(bridge);
  return [
    `link set dev ${port} mtu ${mtu} master ${bridge} up`,
    `link set dev ${port} type bridge_slave isolated on`,
  ];
}

/** Whatever sends from the server's MAC, frames for it go to the server, and are never flooded. */
async function pinMac(bridge: string): Promise<void> {
  await setForwarding(RESOLVER_MAC, resolverPort(bridge));
}

/** Everybody who asks is on the link, whatever the address. */
async function addressInside(namespace: string): Promise<void> {
  await ipBatch(
    [
      'link set dev lo up',
      `link set dev ${INSIDE} addrgenmode none`,
      `address add ${RESOLVER_ADDRESS}/32 dev ${INSIDE}`,
      `link set dev ${INSIDE} up`,
      `route add default dev ${INSIDE}`,
    ],
    namespace,
  );
  // Fails where the kernel has no IPv6. Who asks in the first two seconds does not have a link-local address yet.
  const family6 = [`address add ${RESOLVER_ADDRESS6}/64 dev ${INSIDE} nodad`, `route add ::/0 dev ${INSIDE}`];
  await ipBatch(family6, namespace).catch(() => {});
}

/** The kernel takes a moment to remove the port of a router that was killed. */
async function removeFormer({ bridge, owner }: ResolverOptions): Promise<void> {
  const port = resolverPort(bridge);
  const former = await link(port);
  if (former === undefined) return;
  if (ownerOf(former) !== owner) {
    throw new WeftError(
      'interface-taken',
      `the interface ${port} belongs to somebody else: choose another bridge name with --bridge, or launch with --no-dns`,
    );
  }
  await removeLink(port);
}

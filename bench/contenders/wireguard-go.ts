import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Running, run, until } from '../../test/lab/index.js';
import { type Contender, daemonConnection, needs } from '../contender.js';
import { versionOf } from '../programs.js';
import { hasDevice, type Side } from '../topology.js';

const MTU = 1420;
const PORT = 51820;
const DEVICE = 'wg0';

interface KeyPair {
  readonly secret: string;
  readonly key: string;
}

async function generateKeys(): Promise<KeyPair> {
  const secret = (await run(['wg', 'genkey'])).trim();
  return { secret, key: (await run(['wg', 'pubkey'], { input: secret })).trim() };
}

async function startSide(
  { host, overlayAddress }: Side,
  own: KeyPair,
  remote: Side,
  remoteKey: string,
  program: string,
): Promise<Running> {
  const secretFile = join(host.directory, 'secret');
  await writeFile(secretFile, own.secret, { mode: 0o600 });
  // Its control socket has a fixed place below /run: a /run of its own keeps it apart from others' and from the machine's.
  const daemon = host.start([
    'sh',
    '-c',
    `mount -t tmpfs none /run && exec "$0" --foreground ${DEVICE}`,
    program,
  ]);
  await until(`wireguard-go on ${host.name}`, () => hasDevice(host, DEVICE));
  const wg = ['nsenter', `--target=${daemon.pid}`, '--mount', '--net', 'wg', 'set', DEVICE];
  const self = ['listen-port', `${PORT}`, 'private-key', secretFile];
  const peer = [
    'peer',
    remoteKey,
    'endpoint',
    `${remote.wireAddress}:${PORT}`,
    'allowed-ips',
    '10.32.0.0/24',
  ];
  await until(`control socket of wireguard-go on ${host.name}`, () => run([...wg, ...self, ...peer]));
  await host.ip(`address add ${overlayAddress}/24 dev ${DEVICE}`, `link set ${DEVICE} mtu ${MTU} up`);
  return daemon;
}

/** WireGuard in userspace: L3, so it is measured between the hosts, through its TUN device. */
export const wireguardGo = (program: string): Contender => ({
  name: 'wireguard-go',
  kind: 'peer',
  encrypted: true,
  setup: `L3 between the hosts (no bridge), ChaCha20-Poly1305, MTU ${MTU}`,
  unavailable: needs(program, 'wg'),
  version: () => versionOf([program, '--version']),
  start: async (topology) => {
    const { a, b } = topology;
    const [keysA, keysB] = [await generateKeys(), await generateKeys()];
    const daemonA = await startSide(a, keysA, b, keysB.key, program);
    const daemonB = await startSide(b, keysB, a, keysA.key, program);
    return daemonConnection(topology, 'host', daemonA, daemonB);
  },
});

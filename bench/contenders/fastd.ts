import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Running, run, until } from '../../test/lab/index.js';
import { type Contender, daemonConnection, needs } from '../contender.js';
import { versionOf } from '../programs.js';
import { bridgeContainer, hasDevice, type Side } from '../topology.js';

const MTU = 1426;
const PORT = 10000;
const DEVICE = 'fastd0';

interface KeyPair {
  readonly secret: string;
  readonly key: string;
}

async function generateKeys(program: string): Promise<KeyPair> {
  const secret = (await run([program, '--generate-key', '--machine-readable'])).trim();
  const show = [program, '--config', '-', '--show-key', '--machine-readable'];
  return { secret, key: (await run(show, { input: `secret "${secret}";` })).trim() };
}

async function startSide(
  program: string,
  side: Side,
  secret: string,
  remote: Side,
  key: string,
  method: string,
): Promise<Running> {
  const { host, wireAddress } = side;
  const config = join(host.directory, 'fastd.conf');
  const lines = [
    'mode tap;',
    `interface "${DEVICE}";`,
    `mtu ${MTU};`,
    `method "${method}";`,
    `bind ${wireAddress}:${PORT};`,
    `secret "${secret}";`,
    `peer "remote" { key "${key}"; remote ${remote.wireAddress}:${PORT}; }`,
  ];
  await writeFile(config, lines.join('\n'), { mode: 0o600 });
  const daemon = host.start([program, '--config', config]);
  await until(`fastd on ${host.name}`, () => hasDevice(host, DEVICE));
  await bridgeContainer(side, DEVICE, MTU);
  return daemon;
}

/** fastd in TAP mode on a bridge, with one of its encryption methods. */
export function fastd(program: string, method: string): Contender {
  return {
    name: `fastd ${method}`,
    kind: 'peer',
    encrypted: true,
    setup: `TAP on a bridge, container to container, MTU ${MTU}`,
    unavailable: needs(program),
    version: () => versionOf([program, '--version']),
    start: async (topology) => {
      const { a, b } = topology;
      const [keysA, keysB] = [await generateKeys(program), await generateKeys(program)];
      const daemonA = await startSide(program, a, keysA.secret, b, keysB.key, method);
      const daemonB = await startSide(program, b, keysB.secret, a, keysA.key, method);
      return daemonConnection(topology, 'container', daemonA, daemonB);
    },
  };
}

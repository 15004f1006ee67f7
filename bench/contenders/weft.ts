import type { Connection as WeftConnection } from '../../src/api/index.js';
import { type Host, type LaunchOptions, until } from '../../test/lab/index.js';
import { BUILT, type Connection, type Contender, needs } from '../contender.js';
import { versionOf } from '../programs.js';
import type { Side, Topology } from '../topology.js';

const SETUP = 'Ethernet on its own bridge, container to container, MTU of its own choice';

const unavailable = needs(`${BUILT}/native/weft-forwarder`);

/** The commit of this tree. */
export const weftVersion = () => versionOf(['git', 'describe', '--always', '--dirty']);

/** weft as users run it: launched and attached by its own command, on its own bridge, with the MTU that it chooses itself. */
export function weft(cipher: string): Contender {
  return {
    name: `weft ${cipher}`,
    kind: 'weft',
    encrypted: true,
    setup: SETUP,
    unavailable,
    version: weftVersion,
    start: (topology) => launch(topology, { cipher }),
  };
}

/** weft between hosts that trust the wire, so that it need not encrypt. */
export const weftTrusted: Contender = {
  name: 'weft-trusted',
  kind: 'weft',
  encrypted: false,
  setup: `${SETUP}; both ends have the wire's subnet in --trusted-subnets`,
  unavailable,
  version: weftVersion,
  start: async (topology) => {
    const connection = await launch(topology, { args: ['--trusted-subnets', '192.0.2.0/24'] });
    await until('frames stay in the kernel', async () =>
      (await Promise.all([topology.a, topology.b].map(({ host }) => carrierOf(host)))).every((carrier) =>
        carrier.startsWith('kernel'),
      ),
    );
    return connection;
  },
};

async function launch({ a, b }: Topology, options: LaunchOptions): Promise<Connection> {
  await a.host.launch(options);
  await b.host.launch({ ...options, token: await a.host.token(), peers: [a.wireAddress] });
  await attach(a);
  await attach(b);
  const forwarders = await Promise.all([a, b].map(({ host }) => until('forwarder', () => host.forwarder)));
  return {
    client: a.container,
    server: b.container,
    serverAddress: b.overlayAddress,
    roles: { daemon: a.host.daemon, forwarder: a.host.forwarder },
    pids: [a.host.daemon, b.host.daemon, ...forwarders],
    carrier: () => carrierOf(a.host),
    logs: () => `${a.host.logs()}\n${b.host.logs()}`,
    stop: async () => {
      await Promise.all([a.host.weft('stop'), b.host.weft('stop')]);
    },
  };
}

const attach = ({ container, overlayAddress }: Side) => container.attach(`${overlayAddress}/24`);

/** Path and cipher to the only peer, as `weft status connections` says. */
async function carrierOf(host: Host): Promise<string> {
  const connections = await host.weftJson<Pick<WeftConnection, 'path' | 'cipher' | 'kernel'>[]>(
    'status',
    'connections',
  );
  return connections
    .map(({ path, cipher, kernel }) => `${kernel?.used ? 'kernel' : path} ${cipher ?? '-'}`)
    .join(', ');
}

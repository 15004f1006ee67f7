import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { until } from '../../test/lab/index.js';
import type { Contender } from '../contender.js';
import type { Side } from '../topology.js';

const BUILT = ['../../dist/cli/main.js', '../../build/native/weft-forwarder'];

async function unavailable(): Promise<string | undefined> {
  for (const file of BUILT) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    if (
      !(await access(path).then(
        () => true,
        () => false,
      ))
    )
      return `${path} is not built (make build)`;
  }
  return undefined;
}

/** weft as users run it: launched and attached by its own command, on its own bridge, with the MTU that it chooses itself. */
export function weft(cipher: string): Contender {
  return {
    name: `weft ${cipher}`,
    encrypted: true,
    packaged: false,
    setup: 'Ethernet on its own bridge, container to container, MTU of its own choice',
    unavailable,
    start: async ({ a, b }) => {
      await a.host.launch({ cipher });
      await b.host.launch({ cipher, token: await a.host.token(), peers: [a.wireAddress] });
      await attach(a);
      await attach(b);
      const forwarders = await Promise.all(
        [a, b].map(({ host }) => until('forwarder', () => host.forwarder)),
      );
      return {
        client: a.container,
        server: b.container,
        serverAddress: b.overlayAddress,
        roles: { daemon: a.host.daemon, forwarder: a.host.forwarder },
        pids: [a.host.daemon, b.host.daemon, ...forwarders],
        logs: () => `${a.host.logs()}\n${b.host.logs()}`,
        stop: async () => {
          await Promise.all([a.host.weft('stop'), b.host.weft('stop')]);
        },
      };
    },
  };
}

const attach = ({ container, overlayAddress }: Side) => container.attach(`${overlayAddress}/24`);

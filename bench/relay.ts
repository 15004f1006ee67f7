/**
 * `make bench-relay`: one TCP flow between two hosts, straight and through a third, in turns. A relay passes ciphertext on, superframe by
 * superframe; what it costs is a third forwarder on the same machine.
 */
import { type Host, Lab, type Loss, until } from '../test/lab/index.js';
import { congestionControls, pinCongestionControl } from './workloads/congestion-control.js';
import { measureTcp, startIperfServer } from './workloads/iperf.js';

const ROUNDS = 3;
const SECONDS = 3;

const lab = await Lab.create();
try {
  const wire = await lab.wire();
  const [a, relay, b] = [await lab.host(wire), await lab.host(wire), await lab.host(wire)];
  await a.launch();
  const token = await a.token();
  await relay.launch({ token });
  await b.launch({ token });
  const [client, server] = [
    await a.container('client', '10.32.0.1/24'),
    await b.container('server', '10.32.0.2/24'),
  ];
  await client.reaches(server.address);
  const [congestionControl = ''] = await congestionControls();
  for (const end of [client, server]) await pinCongestionControl(end, congestionControl);
  const iperf = await startIperfServer(server);
  const flow = async () => (await measureTcp(client, server.address, { seconds: SECONDS, flows: 1 })).gbps;
  const [direct, relayed]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    await takes('direct', a, b);
    direct.push(await flow());
    const cuts: Loss[] = [
      await wire.lose('everything', { from: a, to: b }),
      await wire.lose('everything', { from: b, to: a }),
    ];
    await takes('relay', a, b);
    await takes('relay', b, a);
    relayed.push(await flow());
    for (const cut of cuts) await cut.lift();
  }
  await iperf.stop('SIGTERM');
  const show = (rates: number[]) => rates.map((rate) => rate.toFixed(2)).join(' ');
  const ratio = median(relayed) / median(direct);
  console.log(
    `TCP ${congestionControl}\ndirect  Gbit/s: ${show(direct)}\nrelayed Gbit/s: ${show(relayed)}\nratio of medians: ${ratio.toFixed(2)}`,
  );
} finally {
  lab.remove();
}

async function takes(path: string, from: Host, to: Host): Promise<void> {
  await until(
    `${from.name} reaches ${to.name} by the path "${path}"`,
    async () => {
      const { connections } = await from.report();
      const found = connections.find(({ nickname }) => nickname === to.name);
      return found?.path === path && found.pathMtu !== null && found.pathMtu >= 1500;
    },
    { within: 60_000 },
  );
}

function median(values: readonly number[]): number {
  return [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)] ?? Number.NaN;
}

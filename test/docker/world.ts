/** Hosts on which a real Docker engine runs containers on weft's networks. */
import { afterEach } from 'vitest';
import { DockerEngine, type Host, type Lab, until } from '../lab/index.js';
import { onLab } from '../lab/suite.js';

/** What containers are made of. */
export const IMAGE = DockerEngine.busybox;

/** A host with an engine that has the network `weft`. */
export interface DockerHost {
  readonly host: Host;
  readonly engine: DockerEngine;
}

/** Two hosts of one mesh, each with its engine, for all tests of a file; nothing may be left of a test after `within` (ms). */
export function onTwoDockers({ within = 10_000 } = {}) {
  const world = onLab(async (lab) => {
    const [a, b] = await dockerHosts(lab, 2);
    if (a === undefined || b === undefined) throw new Error('there are two hosts');
    return { a, b, both: [a, b] };
  });
  afterEach(async () => {
    await Promise.all(world().both.map(({ engine }) => engine.clear()));
    for (const docker of world().both) {
      const networks = async () => (await docker.host.report()).networks.length;
      await until('nothing of it is left', async () => (await leftOf(docker)).length === 0, { within });
      await until('its networks are forgotten', async () => (await networks()) === 1, { within });
    }
  });
  return world;
}

/** Hosts in one mesh, each with its engine. */
export async function dockerHosts(lab: Lab, count: number): Promise<DockerHost[]> {
  const hosts = await lab.hosts(count);
  const engines = await Promise.all(hosts.map((host) => DockerEngine.start(host)));
  const [first, ...others] = hosts;
  if (first === undefined) return [];
  await first.launch({ args: ['--docker'] });
  const token = await first.token();
  for (const host of others) await host.launch({ token, args: ['--docker'] });
  return await Promise.all(
    hosts.map(async (host, index) => {
      const engine = engines[index] as DockerEngine;
      await engine.hasNetwork('weft');
      return { host, engine };
    }),
  );
}

/** What a container's engine says that its address on a network is. */
export async function addressOn(engine: DockerEngine, name: string, network = 'weft'): Promise<string> {
  return (await engine.inspect(name)).NetworkSettings.Networks[network]?.IPAddress ?? '';
}

/** Waits until a container reaches another, by its name or its address. */
export async function reaches(
  engine: DockerEngine,
  name: string,
  other: string,
  within = 5_000,
): Promise<void> {
  await until(
    `${name} reaches ${other}`,
    async () => (await engine.try('exec', name, 'ping', '-c', '1', '-W', '1', other)).code === 0,
    { within },
  );
}

/** What containers left on a host: nothing, when all of them are gone. */
export async function leftOf({ host }: DockerHost): Promise<string[]> {
  const { attachments, dns, ipam } = await host.report();
  const links = await host.run(['ip', '-br', 'link']);
  return [
    ...attachments.map(({ target }) => `the attachment of ${target}`),
    ...dns.names.filter(({ nickname }) => nickname === host.name).map(({ name }) => `the name ${name}`),
    ...(ipam.allocated > 0 ? [`${ipam.allocated} addresses`] : []),
    ...(links.match(/^w[vl][0-9a-f]{10,}\S*/gm) ?? []).map((name) => `the interface ${name}`),
  ];
}

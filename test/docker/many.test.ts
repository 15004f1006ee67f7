import { describe, expect, test } from 'vitest';
import { inParallel } from '../../src/order.js';
import { until } from '../lab/index.js';
import { onLab } from '../lab/suite.js';
import { withoutEngine } from './suite.js';
import { addressOn, type DockerHost, dockerHosts, IMAGE, leftOf, reaches } from './world.js';

const HOSTS = 3;
const CONTAINERS = 100;
/** Commands that a host's engine works on at the same time. */
const AT_ONCE = 10;
const PATIENCE = 20 * 60_000;

/** The names of containers of a host. */
const names = Array.from({ length: CONTAINERS }, (_, index) => `many${index}`);

describe.skipIf(withoutEngine || process.env.WEFT_LONG !== '1')('a hundred containers on each host', () => {
  const world = onLab(async (lab) => ({ hosts: await dockerHosts(lab, HOSTS) }));

  test(
    'started ten at a time, reach each other, and leave nothing',
    async () => {
      const { hosts } = world();
      // Docker and weft make some of their rules with the first container, for good.
      for (const { engine } of hosts) await engine.docker('run', '--rm', '--network', 'weft', IMAGE, 'true');
      const before = await Promise.all(hosts.map(withoutContainers));
      const addresses = (await Promise.all(hosts.map(runAll))).flat();
      expect(new Set(addresses).size).toBe(HOSTS * CONTAINERS);
      for (const [from, to] of pairs(hosts)) {
        for (const name of [names[0], names.at(-1)])
          await reaches(from.engine, name ?? '', await addressOn(to.engine, name ?? ''));
      }
      await Promise.all(hosts.map(removeAll));
      for (const docker of hosts) {
        await until('nothing of them is left', async () => (await leftOf(docker)).length === 0);
        const { networks } = JSON.parse(await docker.host.weft('docker', 'status', '--output', 'json')) as {
          networks: { endpoints: number }[];
        };
        expect(networks.map(({ endpoints }) => endpoints)).toEqual(networks.map(() => 0));
      }
      expect(await Promise.all(hosts.map(withoutContainers))).toEqual(before);
    },
    PATIENCE,
  );
});

/** Gives the addresses of the containers. */
async function runAll({ engine }: DockerHost): Promise<string[]> {
  const addresses: string[] = [];
  await inParallel(names, AT_ONCE, async (name) => {
    await engine.runOn('weft', name, '--stop-signal', 'KILL');
    addresses.push(await addressOn(engine, name));
  });
  return addresses;
}

async function removeAll({ engine }: DockerHost): Promise<void> {
  await inParallel(names, AT_ONCE, async (name) => void (await engine.docker('rm', '--force', name)));
}

/** Rules and interfaces once there are none of containers any more. */
async function withoutContainers(docker: DockerHost): Promise<string[]> {
  return await until('nothing is about a container', async () => {
    const found = await rulesAndLinks(docker);
    return found.some((line) => /\bw[vl][0-9a-f]{12}/.test(line)) ? undefined : found;
  });
}

/** Of the whole host, without counters. */
async function rulesAndLinks({ host }: DockerHost): Promise<string[]> {
  const rules = await host.run(['nft', '--stateless', 'list', 'ruleset']);
  const links = await host.run(['ip', '-brief', 'link']);
  return [...rules.split('\n'), ...links.split('\n').map((line) => line.split(' ')[0] ?? '')].sort();
}

function pairs<T>(all: readonly T[]): [T, T][] {
  return all.flatMap((one) => all.filter((other) => other !== one).map((other): [T, T] => [one, other]));
}

import { describe, test } from 'vitest';
import { onLab } from '../../lab/suite.js';
import { attach } from '../addresses/ipam.js';
import { DOMAIN, everywhere, threeHosts, told } from '../names/dig.js';

/** Without its prefix length. */
const bare = (cidr: string) => cidr.slice(0, cidr.indexOf('/'));

describe('names that come and go on three hosts', () => {
  const world = onLab((lab) => threeHosts(lab));

  test('are those of all who have them, with the addresses that they were given, or nobody’s', async () => {
    const { a, b, c, all } = world();
    const containers = [];
    const addresses = new Map<string, string[]>();
    for (const name of ['foo', 'bar']) {
      for (const host of [a, b, c]) {
        const container = await host.container(`${name}-${host.name}`);
        const given = bare(await attach(container, '--name', name));
        addresses.set(name, [...(addresses.get(name) ?? []), given]);
        containers.push(container);
      }
    }
    for (let round = 0; round < 2; round += 1) {
      for (const [name, given] of addresses) await told(all, name, ...given);
      await Promise.all(containers.map((container) => container.end()));
      for (const name of addresses.keys()) await told(all, name);
      await Promise.all(containers.map((container) => container.begin()));
    }
    for (const [name, given] of addresses) await told(all, name, ...given);
  });

  test('are those of the newest container, both ways, when an address passes from one to the next', async () => {
    const { a, b, all } = world();
    const address = '10.32.0.99';
    for (const [host, name] of [
      [a, 'first'],
      [a, 'second'],
      [b, 'third'],
    ] as const) {
      const container = await host.container(name, `${address}/24`, '--name', name);
      await told(all, name, address);
      await everywhere(all, ['-x', address], [`${name}.${DOMAIN}.`]);
      await container.detach();
    }
    await everywhere(all, ['-x', address], []);
  });

  test('do not come back through a host that was away when they went', async () => {
    const { a, b, c2, c3, all } = world();
    const stale = await a.container('stale', '10.32.0.41/24', '--name', 'stale');
    await told(all, 'stale', '10.32.0.41');
    await b.port.unplug();
    await a.weft('stop');
    await stale.end();
    await a.launch();
    await told([c3], 'stale');
    // Not of the range: nobody is to confirm it.
    await a.container('fresh', '10.77.0.42/24', '--name', 'fresh');
    await told([c3], 'fresh', '10.77.0.42');
    await told([c2], 'stale', '10.32.0.41');
    // The host that still has it meets the one that does not, and their owner is not there.
    await a.port.unplug();
    await b.port.plug();
    await told([c2, c3], 'fresh', '10.77.0.42');
    await told([c2, c3], 'stale');
    await a.port.plug();
    await told(all, 'fresh', '10.77.0.42');
    await told(all, 'stale');
  });
});

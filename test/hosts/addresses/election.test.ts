import { describe, expect, test } from 'vitest';
import { onLab } from '../../lab/suite.js';
import { allLinked } from '../members/members.js';
import { attach } from './ipam.js';

const password = 'an unguessable sentence';

describe('the addresses of a network that two routers shall split', () => {
  const world = onLab(async (lab) => {
    const [first, observer, second] = await lab.hosts(3);
    await first.launch({ password, args: ['--ipalloc-init', 'consensus=2'] });
    await observer.launch({ password, peers: [first], args: ['--ipalloc-init', 'observer'] });
    await allLinked([first, observer], 10_000);
    return { first, observer, second, hosts: [first, observer, second] };
  });

  test('are not given while only one and an observer met, and by all three once the second is there', async () => {
    const { first, observer, second, hosts } = world();
    const early = await Promise.all(
      [first, observer].map(async (host) =>
        host.tryWeft('attach', (await host.container(`early-${host.name}`)).namespace),
      ),
    );
    expect(early).toMatchObject([
      { code: 1, stderr: expect.stringContaining('2 of the 2 routers') },
      { code: 1, stderr: expect.stringContaining('the routers that elect have not decided') },
    ]);
    await second.launch({ password, peers: [observer], args: ['--ipalloc-init', 'consensus=2'] });
    const addresses = await Promise.all(
      hosts.map(async (host) => attach(await host.container(`of-${host.name}`))),
    );
    expect(new Set(addresses).size).toBe(3);
  });
});

/** Podman with CNI, on networks of weft. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Attachment } from '../../../src/api/index.js';
import { Podman, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';

describe.skipIf(Podman.reasonAgainst() !== undefined)('containers of Podman', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    await a.launch();
    await b.launch({ token: await a.token() });
    return { a, b, onA: await Podman.start(a), onB: await Podman.start(b) };
  });

  afterEach(async () => {
    const { a, b, onA, onB } = world();
    for (const podman of [onA, onB]) await podman.run('rm', '--all', '--force', '--time', '0');
    for (const host of [a, b]) {
      await until('nothing is attached', async () => (await host.weftJson<Attachment[]>('ps')).length === 0);
    }
  });

  test('reach each other by name from host to host, and get out; their ports are published', async () => {
    const { a, b, onA, onB } = world();
    const serve = 'echo hello >/tmp/index.html; httpd -f -p 80 -h /tmp';
    await onA.container(['-d', '--name', 'web', '--network-alias', 'shop', '-p', '8080:80'], serve);
    const [web] = await a.weftJson<Attachment[]>('ps');
    expect(web).toMatchObject({ name: 'web', network: 'default', interface: 'eth0', present: true });
    const address = web?.addresses[0]?.split('/')[0] ?? '';
    for (const name of ['web', 'shop']) {
      await until(`${name} is known`, async () => (await b.weft('dns-lookup', name)).includes(address));
    }
    await onB.container(['--rm'], 'ping -c 1 -w 5 web && ping -c 1 -w 5 shop.weft.local');
    await onB.container(['--rm'], `ping -c 1 -w 5 ${a.address}`);
    expect(await b.run(['curl', '-s', '-m', '5', `http://${a.address}:8080/`])).toBe('hello\n');
  });

  test('have the address and the MAC that were chosen', async () => {
    const { onB } = world();
    const chosen = ['--rm', '--ip', '10.32.9.9', '--mac-address', '02:00:00:00:09:09'];
    const shown = await onB.container(chosen, 'ip address show eth0');
    expect(shown).toContain('link/ether 02:00:00:00:09:09');
    expect(shown).toContain('inet 10.32.9.9/12');
  });
});

import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Attachment } from '../../../src/api/index.js';
import { ask } from '../../../src/cli/client.js';
import { type Container, type Host, reboot, run, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';

const ps = (host: Host) => ask<Attachment[]>(host.runDirectory, 'GET', '/attachments');

/** The addresses of a container's interface, none when it has no interface. */
async function addresses(container: Container): Promise<string[]> {
  const links =
    await container.ipJson<
      { ifname: string; addr_info: { local: string; prefixlen: number; scope: string }[] }[]
    >('address');
  const found = links.filter(({ ifname }) => ifname === 'ethweft').flatMap(({ addr_info }) => addr_info);
  return found.flatMap(({ local, prefixlen, scope }) =>
    scope === 'global' ? [`${local}/${prefixlen}`] : [],
  );
}

/** Launches a router behind a shell script of its own mount namespace, which ends with `"$@"`. */
async function launchBehind(host: Host, script: string): Promise<void> {
  const command = ['ip', 'netns', 'exec', host.namespace, 'sh', '-ec', script, 'sh'];
  await run([...command, ...host.weftCommand(['launch', '--nickname', host.name]).slice(4)], {
    env: host.environment,
  });
}

async function kill(host: Host): Promise<void> {
  process.kill(host.daemon, 'SIGKILL');
  await until('its end is seen', async () => (await host.tryWeft('status')).code === 3);
}

describe('a router that is killed while it attaches a container', () => {
  const world = onLab(async (lab) => {
    const [a] = await lab.hosts(1);
    await a.launch();
    const before = await a.container('before', '10.32.0.1/24');
    return { a, before };
  });

  test('leaves nothing that it does not know of, and loses nothing that it knew', async () => {
    const { a, before } = world();
    const ends = async () => (await a.ipJson<{ ifname: string }[]>('link')).map(({ ifname }) => ifname);
    const moments = [
      async () => void (await until('the interface is there', async () => (await ends()).length > count)),
      async () => void (await until('it has an address', async () => (await addresses(half)).length > 0)),
    ];
    let count = 0;
    let half = before;
    for (const [index, moment] of moments.entries()) {
      half = await a.container(`half${index}`);
      count = (await ends()).length;
      const attaching = a.startWeft('attach', half.namespace, `10.32.0.1${index}/24`);
      await moment();
      await kill(a);
      await attaching.ends();
      await a.launch();
      const listed = (await ps(a)).find(({ target }) => target === half.namespace);
      expect(await addresses(half)).toEqual(listed?.addresses ?? []);
      expect(await addresses(before)).toEqual(['10.32.0.1/24']);
      await half.attach(`10.32.0.2${index}/24`);
      await half.reaches('10.32.0.1');
    }
  });
});

describe('a command that is interrupted', () => {
  const world = onLab(async (lab) => {
    const [a] = await lab.hosts(1);
    await a.launch();
    return { a };
  });

  test('has done its work whole, or not at all', async () => {
    const { a } = world();
    const container = await a.container('c');
    const attaching = a.startWeft('attach', container.namespace, '10.32.0.1/24');
    await until('it has begun', async () => (await addresses(container)).length > 0);
    await attaching.stop('SIGINT');
    await until('both agree', async () => {
      const [listed] = await ps(a);
      return (await addresses(container)).join() === (listed?.addresses ?? []).join();
    });
  });
});

describe('a router whose disk is full', () => {
  const world = onLab(async (lab) => {
    const [a] = await lab.hosts(1);
    mkdirSync(a.stateDirectory);
    await launchBehind(a, `mount -t tmpfs -o size=64k tmpfs "$WEFT_STATE_DIR"; exec "$@"`);
    const c1 = await a.container('c1', '10.32.0.1/24');
    await a.weft('expose', '10.32.0.254/24');
    /** The state directory as the router sees it. */
    const disk = `/proc/${a.daemon}/root${a.stateDirectory}`;
    return { a, c1, disk };
  });

  const contents = (disk: string) =>
    Object.fromEntries(readdirSync(disk).map((name) => [name, readFileSync(join(disk, name), 'utf8')]));

  /** Leaves not a byte. */
  function fill(disk: string): () => void {
    const filler = join(disk, 'filler');
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(4096), { flag: 'a' });
    } catch {
      return () => rmSync(filler);
    }
  }

  test('says so in one line, whatever it is asked to do, and everything stays as it was', async () => {
    const { a, c1, disk } = world();
    const other = await a.container('other');
    const free = fill(disk);
    const before = [await ps(a), (await a.report()).exposures, contents(disk)];
    const { code, stderr } = await a.tryWeft('attach', other.namespace, '10.32.0.2/24');
    expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, lines: 1 });
    expect(stderr).toMatch(/disk is full: make room/);
    for (const [method, path, body] of [
      ['POST', '/attachments', { target: c1.namespace, addresses: ['10.32.0.3/24'] }],
      ['DELETE', '/attachments', { target: c1.namespace }],
      ['POST', '/exposures', { addresses: ['10.32.0.253/24'] }],
      ['DELETE', '/exposures', { addresses: [] }],
      ['POST', '/networks', { name: 'blue', subnets: [] }],
      ['POST', '/names', { name: 'printer', addresses: ['192.0.2.1'] }],
    ] as const) {
      await expect(ask(a.runDirectory, method, path, body)).rejects.toMatchObject({ code: 'disk-full' });
    }
    expect([await ps(a), (await a.report()).exposures, contents(disk)]).toEqual(before);
    expect(await addresses(other)).toEqual([]);
    expect(await addresses(c1)).toEqual(['10.32.0.1/24']);
    expect((await a.report()).networks).toHaveLength(1);
    expect((await a.tryWeft('dns-lookup', 'printer')).code).toBe(1);
    const [bridge] = await a.ipJson<{ addr_info: { local: string }[] }[]>('address', 'show', 'dev', 'weft');
    expect(bridge?.addr_info.map(({ local }) => local)).not.toContain('10.32.0.253');
    await c1.reaches('10.32.0.254');
    const { daemon } = a;
    await a.ip('link delete weft');
    await c1.reaches('10.32.0.254');
    expect(a.daemon).toBe(daemon);
    free();
    await other.attach('10.32.0.2/24');
    await a.weft('detach', c1.namespace);
    await other.reaches('10.32.0.254');
  });
});

describe('a state file that is damaged', () => {
  const world = onLab(async (lab) => {
    const [a] = await lab.hosts(1);
    await a.launch();
    const c1 = await a.container('c1', '10.32.0.1/24');
    await a.weft('dns-add', c1.namespace, '-h', 'one');
    return { a, c1 };
  });

  test('is refused with its name and a remedy, and is never overwritten', async () => {
    const { a, c1 } = world();
    await a.weft('stop');
    for (const name of ['attachments.json', 'names.json']) {
      const file = join(a.stateDirectory, name);
      const whole = readFileSync(file, 'utf8');
      truncateSync(file, whole.length >> 1);
      const damaged = readFileSync(file, 'utf8');
      const { code, stderr } = await a.tryWeft('launch');
      expect({ name, code }).toEqual({ name, code: 1 });
      expect(stderr).toContain(file);
      expect(stderr).toMatch(/restore it|move it away/);
      expect(readFileSync(file, 'utf8')).toBe(damaged);
      await a.isQuiet();
      writeFileSync(file, whole);
    }
    await a.launch();
    expect(await addresses(c1)).toEqual(['10.32.0.1/24']);
    expect(await a.weft('dns-lookup', 'one')).toBe('10.32.0.1\n');
  });
});

describe('a host that is booted again', () => {
  const world = onLab(async (lab) => {
    const [a] = await lab.hosts(1);
    await a.launch();
    return { a };
  });

  test('attaches what is there again, and releases what is not', async () => {
    const { a } = world();
    const [stays, goes, unnamed] = [
      await a.container('stays'),
      await a.container('goes'),
      await a.container('pid'),
    ];
    await stays.attach('10.32.0.1/24', 'fd32::1/64');
    await goes.attach('10.32.0.2/24');
    const process_ = unnamed.start(['sh', '-c', 'echo up; exec sleep 1000']);
    await process_.says(/up/);
    await a.weft('attach', String(process_.pid), '10.32.0.3/24');
    const { address: mac } = await stays.device();

    await reboot(a);
    for (const { namespace } of [stays, goes]) await run(['ip', 'netns', 'delete', namespace]);
    await run(['ip', 'netns', 'add', stays.namespace]);
    await a.launch();

    expect(await addresses(stays)).toEqual(['10.32.0.1/24', 'fd32::1/64']);
    expect((await stays.device()).address).toBe(mac);
    expect((await ps(a)).map(({ target }) => target)).toEqual([stays.namespace]);
    const next = await a.container('next', '10.32.0.2/24', '10.32.0.3/24');
    await next.reaches('10.32.0.1');
    await process_.stop('SIGKILL');
  });
});

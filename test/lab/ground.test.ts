import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { directoryOf, namespacesOf } from './ground.js';
import { attempt, Lab, Running, until } from './index.js';

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
const script = (name: string) => [process.execPath, '--import', 'tsx', fixture(name)];

/** The name of the run that a started `stay.ts` made. */
async function runOf(stay: Running): Promise<string> {
  await stay.says(/up: \S+/);
  return /up: (\S+)/.exec(stay.stdout)?.[1] ?? '';
}

const nothingIsLeftOf = (run: string) => namespacesOf(run).length === 0 && !existsSync(directoryOf(run));

const root = process.getuid?.() === 0;

describe('what a lab made', () => {
  test('is gone after remove(), with its processes', async () => {
    const lab = await Lab.create();
    const [a] = await lab.hosts(2);
    const sleeper = a.start(['sh', '-c', 'echo up; exec sleep 1000']);
    await sleeper.says(/up/);
    expect(a.processes()).toEqual([sleeper.pid]);
    lab.remove();
    await sleeper.ends();
    expect(nothingIsLeftOf(lab.name)).toBe(true);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('is gone after %s', async (signal) => {
    const stay = new Running(script('stay.ts'));
    const run = await runOf(stay);
    expect(namespacesOf(run).length).toBe(3);
    await stay.stop(signal);
    expect(nothingIsLeftOf(run)).toBe(true);
  });

  test('is swept by the next lab when its run was killed, while living runs stay', async () => {
    const [killed, living] = [new Running(script('stay.ts')), new Running(script('stay.ts'))];
    const [dead, alive] = [await runOf(killed), await runOf(living)];
    await killed.stop('SIGKILL');
    expect(nothingIsLeftOf(dead)).toBe(false);
    (await Lab.create()).remove();
    expect(nothingIsLeftOf(dead)).toBe(true);
    expect(namespacesOf(alive).length).toBe(3);
    await living.stop();
  });

  test('does not meet another lab with the same addresses', async () => {
    const labs = [await Lab.create(), await Lab.create()];
    try {
      const pairs = await Promise.all(labs.map((lab) => lab.hosts(2)));
      await pairs[0]?.[1].ip('link set eth1 down');
      expect(await pairs[0]?.[0].ping('192.168.1.2')).toBe(false);
      expect(await pairs[1]?.[0].ping('192.168.1.2')).toBe(true);
    } finally {
      for (const lab of labs) lab.remove();
    }
  });
});

describe.runIf(root)('without privileges', () => {
  const asNobody = [
    ...['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
    ...['unshare', '--user', '--map-root-user', '--net', '--mount'],
  ];

  test('a lab works in a user namespace', async () => {
    const { stdout, stderr, code } = await attempt([...asNobody, ...script('two-routers.ts')]);
    expect(stderr).toBe('');
    expect(stdout).toContain('hosts reach each other\ncaptured hello\n');
    expect(code).toBe(0);
  });

  test('routers work in a user namespace, where /dev/net/tun is open to all as most distributions have it', async () => {
    const openTun =
      'mount -t tmpfs -o mode=755 tmpfs /mnt && mknod /mnt/tun c 10 200 && chmod 666 /mnt/tun && mount --bind /mnt/tun /dev/net/tun && exec "$@"';
    const { stdout, stderr } = await attempt(
      ['unshare', '--mount', 'sh', '-c', openTun, 'sh', ...asNobody, ...script('two-routers.ts')],
      { within: 60_000 },
    );
    expect(stderr).toBe('');
    expect(stdout).toContain('containers reach each other');
  });
});

test('waiting tells what did not come true, and why', async () => {
  const broken = () => {
    throw new Error('the reason');
  };
  await expect(until('the sky falls', broken, { within: 50 })).rejects.toThrow(/the sky falls: the reason/);
});

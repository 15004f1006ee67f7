import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { weftVersion } from '../../../src/version.js';
import { attempt, run } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';

/** It compiles the static programs, which takes minutes the first time. */
const LONG = process.env.WEFT_LONG === '1';
const MAKING = 900_000;
const PACKAGES = fileURLToPath(new URL('../../../build/npm', import.meta.url));

describe.skipIf(!LONG)('the npm packages', { timeout: MAKING }, () => {
  const world = onLab(async (lab) => ({ hosts: await lab.hosts(2) }));

  test('are the same bytes from the same tree', async () => {
    const first = await made();
    rmSync(PACKAGES, { recursive: true });
    expect(await made()).toEqual(first);
  });

  test('work from nothing but themselves, without scripts, in a directory and for a machine', async () => {
    const { directory } = world().lab;
    const [local, global] = [join(directory, 'local'), join(directory, 'global')];
    mkdirSync(local);
    await npm(local, 'install');
    const offline = ['npx', '--offline', '--prefix', local];
    expect(await run([...offline, 'weft', 'version'])).toContain(`weft       ${weftVersion()}\n`);
    expect(await run([...offline, 'weft', 'doctor'])).toMatch(/^ok {4}forwarder /m);
    await npm(directory, 'install', '--global', '--prefix', global);
    expect(await run([join(global, 'bin/weft'), '--version'])).toBe(`${weftVersion()}\n`);
  });

  test('say in one sentence that the native programs were left out', async () => {
    const directory = join(world().lab.directory, 'omitted');
    mkdirSync(directory);
    const [router] = readdirSync(PACKAGES).filter((name) => !name.includes('linux'));
    const command = ['npm', 'install', '--prefix', directory, '--offline', '--omit=optional'];
    await run([...command, join(PACKAGES, router ?? '')], { within: MAKING });
    const { code, stderr } = await attempt([join(directory, 'node_modules/.bin/weft'), 'doctor']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^weft: weft-router-linux-\w+ is missing.*\n$/);
  });

  test('connect containers of two hosts', async () => {
    const { lab, hosts } = world();
    const [a, b] = hosts as [(typeof hosts)[0] & object, (typeof hosts)[0] & object];
    for (const host of hosts) host.program = join(lab.directory, 'local/node_modules/.bin/weft');
    await a.launch();
    await b.launch({ token: await a.token() });
    await a.container('c1', '10.32.0.1/24');
    const container = await b.container('c2', '10.32.0.2/24');
    await container.reaches('10.32.0.1');
    for (const host of hosts) await host.weft('reset', '--force');
  });
});

/** Makes the packages; the hash of each. */
async function made(): Promise<Record<string, string>> {
  await run(['make', '--no-print-directory', 'npm'], { within: MAKING });
  const hash = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(PACKAGES, name)))
      .digest('hex');
  return Object.fromEntries(readdirSync(PACKAGES).map((name) => [name, hash(name)]));
}

async function npm(directory: string, ...command: string[]): Promise<void> {
  const packages = readdirSync(PACKAGES).map((name) => join(PACKAGES, name));
  const options = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  await run(['npm', '--prefix', directory, ...command, ...options, ...packages], { within: MAKING });
}

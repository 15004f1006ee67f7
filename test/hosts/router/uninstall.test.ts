import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Host, run } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { traces } from '../pair.js';

describe('a weft that was installed by `make install`', () => {
  const world = onLab(async (lab) => {
    const [host] = await lab.hosts(1);
    const before = await traces(host);
    const prefix = join(host.directory, 'prefix');
    await run(['scripts/install', prefix], { within: 60_000 });
    await installed(host, prefix, 'launch', '--admin');
    return { host, prefix, before };
  });

  test('is not uninstalled as long as that would lose the key of an administrator', async () => {
    const { host, prefix } = world();
    await expect(installed(host, prefix, 'uninstall')).rejects.toThrow(
      /administrator is in .*admin\.json: move/,
    );
    expect(await installed(host, prefix, 'status')).toContain('router');
  });

  test('is removed with all that it made, and nothing else', async () => {
    const { host, prefix, before } = world();
    const { runtime, configuration } = directories(host);
    await installed(host, prefix, 'cni', 'install', '--bin-dir', runtime, '--conf-dir', configuration);
    writeFileSync(join(prefix, 'bin', 'other'), '');
    expect(await installed(host, prefix, 'uninstall', '--force')).toBe('weft is removed from this host\n');
    expect(filesBelow(prefix)).toEqual(['bin/other']);
    expect([runtime, configuration].flatMap(filesBelow)).toEqual([]);
    expect([host.runDirectory, host.stateDirectory].filter(existsSync)).toEqual([]);
    expect(await traces(host)).toEqual(before);
  });

  test('is removed when its router was killed, too, and it is said what that could not do', async () => {
    const { host, prefix, before } = world();
    await run(['scripts/install', prefix], { within: 60_000 });
    await installed(host, prefix, 'launch');
    const { runtime, configuration } = directories(host);
    await installed(host, prefix, 'cni', 'install', '--bin-dir', runtime, '--conf-dir', configuration);
    for (const pid of [host.daemon, host.forwarder]) process.kill(pid, 'SIGKILL');
    expect(await installed(host, prefix, 'uninstall')).toMatch(
      /^weft is removed from this host\n.*weft rmpeer/,
    );
    expect(filesBelow(prefix)).toEqual(['bin/other']);
    expect([runtime, configuration].flatMap(filesBelow)).toEqual([]);
    expect(await traces(host)).toEqual(before);
  });
});

async function installed(host: Host, prefix: string, ...args: string[]): Promise<string> {
  const environment = Object.entries(host.environment).map(([name, value]) => `${name}=${value}`);
  return await host.run(['env', ...environment, join(prefix, 'bin', 'weft'), ...args]);
}

/** Where a container runtime of the host looks. */
function directories({ directory }: Host) {
  return { runtime: join(directory, 'cni-bin'), configuration: join(directory, 'cni-conf') };
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name).slice(directory.length + 1));
}

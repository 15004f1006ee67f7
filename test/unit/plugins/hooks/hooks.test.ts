import { chmod, chown, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EventKind, Journal } from '../../../../src/events/index.js';
import { Hooks } from '../../../../src/plugins/hooks/index.js';
import { until } from '../../../lab/until.js';
import { ManualClock } from '../../events/manual-clock.js';

describe('hooks', () => {
  let directory: string;
  let hooksDirectory: string;
  let journal: Journal;
  let hooks: Hooks;
  let failures: string[];
  let output: string[];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-hooks-'));
    hooksDirectory = join(directory, 'hooks.d');
    await mkdir(hooksDirectory);
    await chmod(hooksDirectory, 0o755);
    journal = new Journal({ run: 'run-a', clock: new ManualClock(), time: Date.now });
    failures = [];
    output = [];
    hooks = new Hooks({
      directory: hooksDirectory,
      runDir: directory,
      onFailure: (what) => failures.push(what),
      onOutput: (hook, line) => output.push(`${hook}: ${line}`),
      limit: 1_000,
    });
    hooks.follow(journal);
  });

  afterEach(async () => {
    await hooks.stop();
    await rm(directory, { recursive: true });
  });

  async function hook(name: string, script: string, mode = 0o755): Promise<string> {
    const path = join(hooksDirectory, name);
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, mode);
    return path;
  }

  const joined = (peer: string, nickname = 'host-b') =>
    journal.record('peer-joined', `peer:${peer}`, { peer, nickname });
  const left = (peer: string) =>
    journal.record('peer-left', `peer:${peer}`, { peer, nickname: 'host-b', how: 'left' });
  const seen = async (file = 'seen') => (await readFile(join(directory, file), 'utf8')).trim().split('\n');
  const hasSeen = (lines: string[], file?: string) =>
    until(`${lines.length} lines are written`, async () => expect(await seen(file)).toEqual(lines) ?? true);
  /** Resolves when what happened before is with the hooks that there were then. */
  const complained = (pattern: RegExp) =>
    until(`somebody says ${pattern}`, () => failures.some((what) => pattern.test(what)));

  it('get the labels of a container as JSON in one variable, whatever their keys are', async () => {
    await hook('labels', 'echo "$LD_PRELOAD$WEFT_LABEL_app$WEFT_LABELS" >> "$WEFT_RUN_DIR/seen"');
    const labels = { app: '$(id)', LD_PRELOAD: '/tmp/x.so' };
    const place = { network: 'default', interface: 'ethweft', mac: '02:00:00:00:00:01', addresses: [] };
    journal.record('container-attached', 'container:web', {
      container: 'web',
      name: 'web',
      ...place,
      labels,
    });
    await hasSeen(['{"app":"$(id)","LD_PRELOAD":"/tmp/x.so"}']);
  });

  it('get each event on stdin and its fields in the environment, no argument, and no secret of the daemon', async () => {
    process.env.WEFT_TEST_SECRET = 'of the daemon';
    await hook('tell', `cat > ${directory}/stdin; env > ${directory}/env; echo "$#" > ${directory}/seen`);
    joined('ab', '$(touch /tmp/x); `id`\n\x1b[2J');
    await hasSeen(['0']);
    delete process.env.WEFT_TEST_SECRET;
    expect(JSON.parse(await readFile(join(directory, 'stdin'), 'utf8'))).toMatchObject({
      version: 1,
      seq: 1,
      kind: 'peer-joined',
      details: { peer: 'ab', nickname: '$(touch /tmp/x); `id`\n\x1b[2J' },
    });
    const environment = await seen('env');
    expect(environment).toEqual(
      expect.arrayContaining(['WEFT_EVENT=peer-joined', 'WEFT_PEER=ab', `WEFT_RUN_DIR=${directory}`]),
    );
    expect(environment.join()).not.toContain('of the daemon');
  });

  it('run one after the other for one subject, in order', async () => {
    await hook(
      'tell',
      `echo "+$WEFT_EVENT" >> ${directory}/seen; sleep 0.1; echo "-$WEFT_EVENT" >> ${directory}/seen`,
    );
    joined('ab');
    left('ab');
    await hasSeen(['+peer-joined', '-peer-joined', '+peer-left', '-peer-left']);
  });

  it('get the last of what happened to a subject again and again while they were busy', async () => {
    await hook(
      'tell',
      `echo "$WEFT_NICKNAME" >> ${directory}/seen; while [ ! -e ${directory}/go ]; do sleep 0.02; done`,
    );
    joined('ab', 'first');
    await hasSeen(['first']);
    for (let i = 0; i < 100; i += 1) joined('ab', `later ${i}`);
    await hook('.go', '');
    await writeFile(join(directory, 'go'), '');
    await hasSeen(['first', 'later 99']);
  });

  it('do not hold up each other, or others: one that hangs is killed with its children, and said once', async () => {
    await hook('a-hangs', `sleep 600 & echo $! >> ${directory}/children; exec sleep 600`);
    await hook('b-works', `echo "$WEFT_PEER" >> ${directory}/seen`);
    const began = performance.now();
    for (const peer of ['a', 'b', 'c', 'd', 'e', 'f']) joined(peer);
    await until('the one that works has seen all', async () => (await seen()).length === 6);
    expect(performance.now() - began).toBeLessThan(5_000);
    await complained(/^the hook a-hangs did not end within 1 s, and was killed \(peer-joined\)$/);
    await until('its children are gone', async () =>
      (await seen('children')).slice(0, 4).every((pid) => !isAlive(Number(pid))),
    );
    expect(failures).toHaveLength(1);
  });

  it('that fail, or are no programs, are said once, until they work again', async () => {
    await hook('fails', `echo x >> ${directory}/seen; exit $(( $(wc -l < ${directory}/seen) == 3 ? 0 : 7 ))`);
    await writeFile(join(hooksDirectory, 'no-program'), 'no program', { mode: 0o755 });
    for (let i = 1; i <= 4; i += 1) {
      joined(`${i}`);
      await until(`it ran ${i} times`, async () => (await seen()).length === i);
      await until(
        'it ended',
        () => failures.filter((what) => what.includes('fails')).length === (i < 4 ? 1 : 2),
      );
    }
    expect(failures.filter((what) => what.includes('no-program'))).toHaveLength(1);
    expect(failures).toContain('the hook fails failed with exit code 7 (peer-joined)');
  });

  it('that print without end have 16 lines of it logged, harmless on a terminal', async () => {
    await hook(
      'floods',
      `printf 'a\\033[2Jb\\n'; yes '${'y'.repeat(1_000)}' | head -c 10000000; echo done > ${directory}/seen`,
    );
    joined('ab');
    await hasSeen(['done']);
    await until('something is logged', () => output.length > 0);
    expect(output[0]).toBe('floods: a\\u001b[2Jb');
    expect(output.length).toBeLessThanOrEqual(16);
    expect(output.join('').length).toBeLessThan(5_000);
  });

  it('come and go while the router runs', async () => {
    const old = await hook('old', `echo "$WEFT_PEER" >> ${directory}/old`);
    joined('first');
    await hasSeen(['first'], 'old');
    await hook('new', `echo "$WEFT_PEER" >> ${directory}/new`);
    await rm(old);
    // What was read of the directory is good for a second.
    await until(
      'the new one hears',
      async () => {
        joined('later');
        return (await seen('new')).length > 0;
      },
      { every: 100 },
    );
    await hooks.stop();
    expect(failures).toEqual([]);
  });

  it.each([
    ['writable by a group', async () => chmod(await hook('evil', 'true'), 0o775)],
    ['writable by all', async () => chmod(await hook('evil', 'true'), 0o777)],
    ['of another user', async () => chown(await hook('evil', 'true'), 1_000, 1_000)],
    [
      'in a directory that others may write',
      async () => [await hook('evil', 'true'), await chmod(hooksDirectory, 0o777)],
    ],
    [
      'a link to where others may write',
      async () => {
        await mkdir(join(directory, 'open'));
        await chmod(join(directory, 'open'), 0o777);
        await writeFile(join(directory, 'open/evil'), '#!/bin/sh\n', { mode: 0o755 });
        await symlink(join(directory, 'open/evil'), join(hooksDirectory, 'evil'));
      },
    ],
  ])('are refused that are %s, with one line', async (_what, make) => {
    await make();
    await hook('good', `echo good >> ${directory}/seen`).catch(() => {});
    for (const peer of ['a', 'b', 'c']) joined(peer);
    await complained(/^hooks are not run from .*: others than root may write there/);
    await hooks.stop();
    expect(failures).toHaveLength(1);
  });

  it('are not run that are not executable, and hidden files and directories are no hooks', async () => {
    await hook('plain', 'true', 0o644);
    await hook('.hidden', `echo hidden >> ${directory}/seen`);
    await mkdir(join(hooksDirectory, 'subdirectory'));
    joined('a');
    await complained(/plain is not executable: `chmod 755` makes it so$/);
    await hooks.stop();
    expect(failures).toHaveLength(1);
    await expect(seen()).rejects.toThrow('ENOENT');
  });

  it('hear nothing of what happened before they were listened for', async () => {
    await hook('tell', `echo "$WEFT_EVENT" >> ${directory}/seen`);
    const kinds: EventKind[] = [];
    journal.on('event', ({ kind }) => kinds.push(kind));
    joined('a');
    await hasSeen(['peer-joined']);
    const again = new Hooks({
      directory: hooksDirectory,
      runDir: directory,
      onFailure: (what) => failures.push(what),
      onOutput: () => {},
    });
    again.follow(journal);
    await again.stop();
    expect(await seen()).toEqual(['peer-joined']);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

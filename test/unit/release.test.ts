/** What a release is made of: one version everywhere, and only what was committed. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nativeProgram } from '../../src/native-program.js';
import { weftVersion } from '../../src/version.js';
import { attempt, type Finished, run } from '../lab/index.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8');

describe('the version of package.json', () => {
  it.each(['weft-forwarder', 'weft-spawn'])('is what %s tells', async (name) => {
    expect(await run([nativeProgram(name), '--version'])).toBe(`${name} ${weftVersion()}\n`);
  });

  it('is what the CNI plugin tells', async () => {
    const told = JSON.parse(await run([nativeProgram('weft-cni'), 'info'])) as { version: string };
    expect(told.version).toBe(weftVersion());
  });

  it('is that of the lock file', () => {
    expect(JSON.parse(text('package-lock.json'))).toMatchObject({ version: weftVersion() });
  });

  it('is written nowhere else by hand', () => {
    expect(text('native/src/version.h.in')).toContain('"@weft_version@"');
    expect(text('deploy/debian/control')).toContain('Version: @VERSION@');
    expect(text('scripts/image.json')).toContain('"org.opencontainers.image.version": "@VERSION@"');
  });
});

describe('make release', () => {
  let root = '';
  const git = async (...args: string[]) =>
    await run(['git', '-C', root, '-c', 'user.name=a', '-c', 'user.email=a@b.invalid', ...args]);
  const write = (path: string, content: string) => writeFileSync(join(root, path), content);
  const release = async (): Promise<Finished> =>
    await attempt([join(root, 'scripts/release')], { env: { MAKE: 'false' } });

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'weft-release-'));
    mkdirSync(join(root, 'scripts'));
    cpSync(join(ROOT, 'scripts/release'), join(root, 'scripts/release'));
    for (const path of ['package.json', 'package-lock.json']) write(path, '{"version":"1.2.3"}');
    write('CHANGELOG.md', '# Changelog\n\n## 1.2.3 - 2026-01-01\n\n- It works.\n');
    await git('init', '--quiet');
    await git('add', '.');
    await git('commit', '--quiet', '--message', 'a release');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('begins to make it where all is well', async () => {
    expect(await release()).toMatchObject({ code: 1, stderr: '' }); // `false` is what makes it here
  });

  it.each([
    ['the tree is not clean', async () => write('new', 'x'), /^release: the tree is not clean: .*\n$/],
    [
      'the changelog has no section with a date',
      async () => {
        write(
          'CHANGELOG.md',
          '# Changelog\n\n## Unreleased\n\n- It works.\n\n## 1.2.30 - 2026-01-01\n\n- No.\n',
        );
        await git('commit', '--quiet', '--all', '--message', 'x');
      },
      /^release: CHANGELOG.md has no section "## 1\.2\.3 - .*\n$/,
    ],
    [
      'the lock file has another version',
      async () => {
        write('package-lock.json', '{"version":"1.2.2"}');
        await git('commit', '--quiet', '--all', '--message', 'x');
      },
      /^release: package-lock\.json has another version.*\n$/,
    ],
    [
      'the version was released from another commit',
      async () => {
        await git('tag', 'v1.2.3');
        await git('commit', '--quiet', '--allow-empty', '--message', 'x');
      },
      /^release: v1\.2\.3 is the tag of another commit.*\n$/,
    ],
  ])('refuses in one sentence where %s', async (_, spoil, sentence) => {
    await spoil();
    const { code, stderr } = await release();
    expect(code).toBe(1);
    expect(stderr).toMatch(sentence);
  });
});

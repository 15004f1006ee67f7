import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attempt, type Finished } from '../lab/index.js';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));

/** What another machine would tell node. */
const MUSL = 'process.report.getReport = () => ({ header: {} })';
const RISC_V = 'Object.defineProperty(process, "arch", { value: "riscv64" })';

describe('a weft that came by npm, without its native programs', () => {
  let root = '';
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'weft-npm-'));
    mkdirSync(join(root, 'weft'));
    for (const part of ['cli', 'chunks']) {
      cpSync(join(DIST, part), join(root, 'weft/dist', part), {
        recursive: true,
        filter: (path) => !path.endsWith('.map'),
      });
    }
    const optionalDependencies = { 'weft-router-linux-x64': '1.2.3', 'weft-router-linux-arm64': '1.2.3' };
    const manifest = { name: 'weft-router', version: '1.2.3', type: 'module', optionalDependencies };
    writeFileSync(join(root, 'weft/package.json'), JSON.stringify(manifest));
  });
  afterAll(() => rmSync(root, { recursive: true }));

  async function weft(preload: string, ...args: string[]): Promise<Finished> {
    const first = `data:text/javascript,${encodeURIComponent(preload)}`;
    return await attempt([process.execPath, '--import', first, join(root, 'weft/dist/cli/main.js'), ...args]);
  }

  it.each([
    [
      'was left out',
      '',
      /^weft: weft-router-linux-\w+ is missing.*`npm install weft-router-linux-\w+@1\.2\.3`/,
    ],
    [
      'is not made for the CPU',
      RISC_V,
      /^weft: there are no native programs .* linux-riscv64 .*`make install`$/,
    ],
    [
      'would need glibc',
      MUSL,
      /^weft: this weft needs the C library glibc, .* musl: run the container image/,
    ],
  ])('says what to do where their package %s, in one sentence', async (_, preload, sentence) => {
    for (const command of ['doctor', 'launch']) {
      const { code, stdout, stderr } = await weft(preload, command);
      expect({ code, stdout, lines: stderr.trim().split('\n').length }).toEqual({
        code: 1,
        stdout: '',
        lines: 1,
      });
      expect(stderr.trim()).toMatch(sentence);
    }
  });

  it('shows its help all the same', async () => {
    const { code, stdout } = await weft('', '--help');
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('weft COMMAND --help') });
  });
});

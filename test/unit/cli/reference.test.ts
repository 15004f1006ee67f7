import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type CommandEntry,
  commandTree,
  manualPages,
  referencePage,
  referencePageNow,
  withDescendants,
} from '../../../scripts/reference/index.js';
import { untested } from '../../untested.js';

const hasMandoc = spawnSync('mandoc', ['/dev/null']).error === undefined;
if (!hasMandoc) untested('how manual pages look', 'there is no mandoc');

/** A busy machine takes its time to load all commands, ms. */
const LOADING = 60_000;

let tree: CommandEntry;
let pages: Record<string, string>;

beforeAll(async () => {
  tree = await commandTree();
  pages = manualPages(tree, { version: '1.2.3', date: '2026-11-30' });
}, LOADING);

it('the reference is what the commands say: `npx tsx scripts/reference/main.ts` writes it', () => {
  expect(referencePageNow()).toBe(referencePage(tree));
});

/** Every command with everything that can be given to it. */
function everything(): { path: string; words: string[] }[] {
  return withDescendants(tree).map(({ path, arguments: args, options, commands }) => ({
    path: path.join(' '),
    words: [
      ...commands.map((sub) => sub.path.at(-1) ?? ''),
      ...args.flatMap(({ name, choices }) => [name, ...choices]),
      ...options.flatMap(({ names, value, variable = '' }) => [
        ...names,
        ...[value?.name ?? '', variable],
        ...(value?.choices ?? []),
      ]),
    ],
  }));
}

it('has every command, argument, option, choice and variable on the page', () => {
  const page = referencePage(tree);
  const common = page.slice(page.indexOf('## Common options'), page.indexOf('## weft launch'));
  for (const { path, words } of everything()) {
    const [, part = ''] = page.split(new RegExp(`^#{2,3} ${path}$`, 'm'));
    for (const word of words) expect(part + common, path).toContain(word);
  }
  expect(page.split('\n').filter((line) => line.length > 120)).toEqual([]);
});

describe('the manual', () => {
  it('has every command, argument, option, choice and variable on the page of its command', () => {
    for (const { path, words } of everything()) {
      const page = pages[`${path.split(' ').slice(0, 2).join('-')}.1`]?.replaceAll('\\-', '-');
      expect(page, path).toContain(path);
      for (const word of words) expect(page, path).toContain(word);
    }
  });

  it('says how a command ends, where its files are, and shows examples', () => {
    for (const [name, page] of Object.entries(pages)) {
      const headings = [...page.matchAll(/^\.SH (.*)$/gm)].map(([, heading]) => heading);
      expect(headings, name).toEqual(
        expect.arrayContaining(['NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'EXIT STATUS', 'SEE ALSO']),
      );
      // The demo is about no router of this host.
      if (name === 'weft-demo.1') continue;
      expect(headings, name).toEqual(expect.arrayContaining(['FILES', 'ENVIRONMENT']));
    }
    expect(pages['weft-attach.1']).toContain('.SH EXAMPLES');
    expect(pages['weft-wait.1']).toContain('it did not become true in time');
  });

  describe.runIf(hasMandoc)('as mandoc reads it', () => {
    it('has no fault', () => {
      const directory = mkdtempSync(join(tmpdir(), 'weft-man-'));
      try {
        for (const [name, page] of Object.entries(pages)) writeFileSync(join(directory, name), page);
        const files = Object.keys(pages);
        const { stdout } = spawnSync('mandoc', ['-Tlint', ...files], { cwd: directory, encoding: 'utf8' });
        expect(stdout).toBe('');
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    });

    it('shows backslashes, dots and dashes as they are', () => {
      const strange = { ...tree, commands: [], description: ".hidden \\fB'tis -- “x”" };
      const page = manualPages(strange, { version: '1', date: '2026-11-30' })['weft.1'] ?? '';
      const shown = execFileSync('mandoc', ['-Tutf8'], { input: page, encoding: 'utf8' });
      expect(shown).toContain(strange.description);
    });
  });
});

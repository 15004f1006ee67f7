/** What is written about the command line from the commander tree: a page, manual pages, completions of shells. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { weftVersion } from '../../src/version.js';
import { bashCompletion } from './bash.js';
import { stepsOf } from './completion.js';
import { fishCompletion } from './fish.js';
import { manualPages } from './man.js';
import { referencePage } from './markdown.js';
import { type CommandEntry, commandTree, withDescendants } from './tree.js';
import { zshCompletion } from './zsh.js';

export { type CommandEntry, commandTree, manualPages, referencePage, withDescendants };

export const REFERENCE_PAGE = fileURLToPath(new URL('../../docs/reference.md', import.meta.url));

/** docs/reference.md as it is. */
export function referencePageNow(): string {
  return readFileSync(REFERENCE_PAGE, 'utf8');
}

/** What belongs into dist/, by path. `date` is that of the manual pages, as 2026-11-30. */
export function builtFiles(tree: CommandEntry, date: string): Record<string, string> {
  const pages = Object.entries(manualPages(tree, { version: weftVersion(), date }));
  const scripts = Object.entries(completions(tree));
  return Object.fromEntries([
    ...pages.map(([name, text]) => [`man/${name}`, text]),
    ...scripts.map(([name, text]) => [`completions/${name}`, text]),
  ]);
}

/** What shells load to complete the command line, by the file names that they want. */
export function completions(tree: CommandEntry): Record<string, string> {
  const steps = stepsOf(tree);
  return {
    'weft.bash': bashCompletion(steps),
    _weft: zshCompletion(steps),
    'weft.fish': fishCompletion(steps),
  };
}

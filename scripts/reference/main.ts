/**
 * Writes what tells of the command line from the commands themselves: `npx tsx scripts/reference/main.ts` docs/reference.md, and with a
 * directory (`dist`) the manual pages and the completions of shells in there. A test keeps the page true.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { builtFiles, commandTree, REFERENCE_PAGE, referencePage } from './index.js';

const [directory] = process.argv.slice(2);
const tree = await commandTree();
if (directory === undefined) writeFileSync(REFERENCE_PAGE, referencePage(tree));
else {
  for (const name of ['man', 'completions']) rmSync(join(directory, name), { recursive: true, force: true });
  for (const [path, text] of Object.entries(builtFiles(tree, lastChange()))) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

/** The day of the last commit that changed the command line: two builds of a commit are to have the same bytes. Without git, or its history: today. */
function lastChange(): string {
  const { SOURCE_DATE_EPOCH: epoch = '' } = process.env;
  const seconds = epoch || commitTime();
  return new Date(seconds === '' ? Date.now() : Number(seconds) * 1000).toISOString().slice(0, 10);
}

function commitTime(): string {
  const command = ['log', '-1', '--format=%ct', '--', 'src/cli', 'scripts/reference', 'package.json'];
  try {
    return execFileSync('git', command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

// Prints the directories of the npm modules that an installed weft needs beside its bundle: `sodium-native` (external in
// bundle.mjs) and what it depends on, a line each.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const found = new Set();
const waiting = ['sodium-native'];
for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
  const directory = join('node_modules', name);
  if (found.has(directory) || !existsSync(directory)) continue;
  found.add(directory);
  const { dependencies = {} } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  waiting.push(...Object.keys(dependencies));
}
console.log([...found].join('\n'));

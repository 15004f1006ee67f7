/**
 * Writes what is told of metrics in two places from where it is declared: `npx tsx scripts/metrics.ts`. The counters of
 * native/src/stats/counters.h become src/api/status/metrics/forwarder-counters.ts, and all metrics the table of docs/observe.md. A
 * test keeps both true.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const HEADER = at('native/src/stats/counters.h');
const COUNTERS = at('src/api/status/metrics/forwarder-counters.ts');
const PAGE = at('docs/observe.md');
const DECLARED = /^ {2}X\((\w+), "([^"]+)"\)/gm;
const BEGIN = '<!-- metrics -->\n';
const END = '<!-- /metrics -->';

/** The forwarder's counters as TypeScript. */
export function countersFile(): string {
  const entries = [...readFileSync(HEADER, 'utf8').matchAll(DECLARED)].map(
    ([, name = '', meaning = '']) => `  ${name}: ${quoted(meaning)},\n`,
  );
  return `/** Everything that the forwarder counts, made from native/src/stats/counters.h by \`npx tsx scripts/metrics.ts\`. */
export const FORWARDER_COUNTERS = {
${entries.join('')}} as const;
`;
}

export function countersFileNow(): string {
  return readFileSync(COUNTERS, 'utf8');
}

/** All metrics as a table. */
export async function metricsTable(): Promise<string> {
  const { FAMILIES, DROP_REASONS } = await import('../src/api/status/metrics/index.js');
  const rows = FAMILIES.map(
    ({ name, type, labels = [], help }) => `| \`${name}\` | ${type} | ${labels.join(', ')} | ${help} |\n`,
  );
  const reasons = Object.entries(DROP_REASONS).map(([reason, meaning]) => `| ${reason} | ${meaning} |\n`);
  return [
    '\n| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n',
    ...rows,
    '\nReasons of `weft_forwarder_dropped_total`:\n\n| reason | what was dropped |\n| --- | --- |\n',
    ...reasons,
    '\n',
  ].join('');
}

export function metricsTableNow(page = readFileSync(PAGE, 'utf8')): string {
  const begin = page.indexOf(BEGIN) + BEGIN.length;
  return page.slice(begin, page.indexOf(END, begin));
}

function quoted(text: string): string {
  return text.includes("'") ? JSON.stringify(text) : `'${text}'`;
}

if (relative(process.argv[1] ?? '', fileURLToPath(import.meta.url)) === '') {
  writeFileSync(COUNTERS, countersFile());
  const page = readFileSync(PAGE, 'utf8');
  const replaced = `${BEGIN}${metricsTableNow(page)}${END}`;
  writeFileSync(PAGE, page.replace(replaced, `${BEGIN}${await metricsTable()}${END}`));
}

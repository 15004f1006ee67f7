/**
 * The rooms of the source and what they import of each other. As a command (`npx tsx scripts/rooms.ts`) it writes the picture of
 * docs/architecture.md anew; a test keeps picture and rules true.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCE = join(ROOT, 'src');
const PAGE = join(ROOT, 'docs/architecture.md');
const IMPORT = /(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)\.js'/g;

/** One import, by files below src, without extension: `mesh/mesh` imports `gossip/index`. Type imports count. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

/** All imports between files of src. */
export function readImports(): Import[] {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /(?<!\.d)\.ts$/.test(file),
  );
  return files.flatMap((file) => {
    const text = readFileSync(join(SOURCE, file), 'utf8');
    return [...text.matchAll(IMPORT)].map(([, target = '']) => ({
      from: file.replace(/\.ts$/, ''),
      to: normalize(join(dirname(file), target)),
    }));
  });
}

/** The folder of a file; of several levels, `levels` at most. Files directly in src are in no room. */
export function roomOf(file: string, levels = Number.POSITIVE_INFINITY): string | undefined {
  const folders = file.split('/').slice(0, -1);
  return folders.length === 0 ? undefined : folders.slice(0, levels).join('/');
}

/**
 * Imports into another room past its doors. A room below may use its own parents' files. Bounds of what a user may ask for, and
 * paths of files, have doors of their own: the index would load the whole room, and every command pays for what it loads.
 */
export function pastTheIndex(imports: readonly Import[]): Import[] {
  return imports.filter(({ from, to }) => {
    const [here = '', there] = [roomOf(from), roomOf(to)];
    const isNear = there === undefined || `${here}/`.startsWith(`${there}/`);
    return !isNear && !LISTS.has(there) && !DOORS.test(to);
  });
}

const DOORS = /\/(index|limits|paths)$/;

/** Rooms that are lists by nature: each of their files is one more of a kind, and has no other index than its parent. */
const LISTS = new Set(['cli/commands', 'cli/tables', 'api/routes']);

/** A way round, as a list of names that ends where it began; undefined when there is none. */
export function cycle(edges: readonly Import[]): string[] | undefined {
  const targets = new Map<string, string[]>();
  for (const { from, to } of edges) targets.set(from, [...(targets.get(from) ?? []), to]);
  const done = new Set<string>();
  const visit = (at: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(at)) return [...path.slice(path.indexOf(at)), at];
    if (done.has(at)) return undefined;
    for (const to of targets.get(at) ?? []) {
      const found = visit(to, [...path, at]);
      if (found !== undefined) return found;
    }
    done.add(at);
    return undefined;
  };
  for (const at of targets.keys()) {
    const found = visit(at, []);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Which rooms use which, to so many levels of folders. Between a room and those inside it nothing is told. */
export function between(imports: readonly Import[], levels: number): Import[] {
  const edges = imports.flatMap(({ from, to }) => {
    const [here, there] = [roomOf(from, levels), roomOf(to, levels)];
    if (here === undefined || there === undefined) return [];
    const inside = `${here}/`.startsWith(`${there}/`) || `${there}/`.startsWith(`${here}/`);
    return inside ? [] : [`${here} ${there}`];
  });
  return [...new Set(edges)].sort().map((edge) => {
    const [from = '', to = ''] = edge.split(' ');
    return { from, to };
  });
}

const BEGIN = '```mermaid\n';
const END = '```';

/** The picture: an arrow from each room to those that it uses, left out where a longer way says the same. */
export function picture(imports: readonly Import[]): string {
  const edges = between(imports, 1);
  const lines = edges
    .filter((edge) => !isImplied(edge, edges))
    .map(({ from, to }) => `    ${from} --> ${to}`);
  return ['graph TD', ...lines, ''].join('\n');
}

function isImplied({ from, to }: Import, edges: readonly Import[]): boolean {
  const reaches = (at: string): boolean =>
    edges.some((edge) => edge.from === at && (edge.to === to || reaches(edge.to)));
  return edges.some((edge) => edge.from === from && edge.to !== to && reaches(edge.to));
}

/** The picture as the page has it now. */
export function pictureOnPage(page = readFileSync(PAGE, 'utf8')): string {
  const begin = page.indexOf(BEGIN) + BEGIN.length;
  return page.slice(begin, page.indexOf(END, begin));
}

if (relative(process.argv[1] ?? '', fileURLToPath(import.meta.url)) === '') {
  const page = readFileSync(PAGE, 'utf8');
  const replaced = `${BEGIN}${pictureOnPage(page)}${END}`;
  writeFileSync(PAGE, page.replace(replaced, `${BEGIN}${picture(readImports())}${END}`));
}

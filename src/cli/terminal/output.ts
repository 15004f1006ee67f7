import type { CommonOptions, QuietOption } from '../options.js';
import { fittingWidths, GAP } from './fit.js';
import { write } from './streams.js';

/** Prints an answer: as JSON when that is asked for, else as the text that `render` makes of it. */
export async function print<T>(
  { output }: Pick<CommonOptions, 'output'>,
  answer: T,
  render: (answer: T) => string | Promise<string>,
): Promise<void> {
  const text = output === 'json' ? JSON.stringify(answer, undefined, 2) : await render(answer);
  if (text !== '') await write(`${text}\n`);
}

/** As `print`; with --quiet only what `namesOf` gives, one a line. */
export async function printList<T>(
  options: Pick<CommonOptions, 'output'> & QuietOption,
  answer: T,
  render: (answer: T) => string | Promise<string>,
  namesOf: (answer: T) => readonly string[],
): Promise<void> {
  if (options.quiet)
    await write(
      namesOf(answer)
        .map((name) => `${name}\n`)
        .join(''),
    );
  else await print(options, answer, render);
}

/** Whether what is printed may have colours: on a terminal that knows them, unless NO_COLOR is set. */
export function hasColours(): boolean {
  return process.stdout.isTTY && process.stdout.hasColors();
}

const NO_BORDERS = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{
    left: '',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: ' '.repeat(GAP),
  },
};

/**
 * Columns under headings, without borders, which on a terminal wrap their cells to fit into its lines. `nothing` stands for an empty
 * table.
 */
export async function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  nothing: string,
): Promise<string> {
  if (rows.length === 0) return nothing;
  const { default: Table } = await import('cli-table3');
  const head = headings.map((heading) => heading.toUpperCase());
  const { isTTY, columns } = process.stdout;
  const colWidths = isTTY && columns > 0 ? fittingWidths([head, ...rows], columns) : undefined;
  const grid = new Table({
    head,
    ...(colWidths === undefined ? {} : { colWidths, wordWrap: true }),
    chars: NO_BORDERS,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  });
  for (const row of rows) grid.push([...row]);
  return trimLines(grid.toString());
}

/** A name and its value on each line. */
export function pairs(entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}

function trimLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Text of a help in parts: what stands indented is to be kept as it is, all else may be wrapped anew. */

export type Block =
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'literal'; readonly lines: readonly string[] };

export interface Section {
  /** `Examples`; absent for what has no heading of its own. */
  readonly heading: string | undefined;
  readonly blocks: readonly Block[];
}

/** Headings that a manual page has, too; others are sentences before a list. */
const HEADING = /^(Examples?|Environment|Files)\b.*:$/;
const EXIT_CODES = /^Exit codes: /;

/** The sections of a text, in its order. */
export function sectionsOf(text: string): Section[] {
  const sections: { heading: string | undefined; lines: string[] }[] = [{ heading: undefined, lines: [] }];
  for (const line of text.split('\n')) {
    const [, heading] = HEADING.exec(line) ?? [];
    if (heading !== undefined) sections.push({ heading, lines: [] });
    else if (EXIT_CODES.test(line))
      sections.push(
        { heading: 'Exit codes', lines: [line.replace(EXIT_CODES, '')] },
        { heading: undefined, lines: [] },
      );
    else if (line === '' && sections.at(-1)?.heading !== undefined)
      sections.push({ heading: undefined, lines: [] });
    else sections.at(-1)?.lines.push(line);
  }
  return sections
    .map(({ heading, lines }) => ({ heading, blocks: blocksOf(lines) }))
    .filter(({ blocks }) => blocks.length > 0);
}

function blocksOf(lines: readonly string[]): Block[] {
  const blocks: ({ kind: 'paragraph'; text: string } | { kind: 'literal'; lines: string[] })[] = [];
  let isOpen = false;
  for (const line of lines) {
    const kind = line.startsWith(' ') ? 'literal' : 'paragraph';
    const last = isOpen ? blocks.at(-1) : undefined;
    isOpen = line !== '';
    if (line === '') continue;
    if (last?.kind === 'literal' && kind === 'literal') last.lines.push(line.slice(2));
    else if (last?.kind === 'paragraph' && kind === 'paragraph') last.text += ` ${line}`;
    else if (kind === 'literal') blocks.push({ kind, lines: [line.slice(2)] });
    else blocks.push({ kind, text: line });
  }
  return blocks;
}

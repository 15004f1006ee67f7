/** Manual pages, in the language of man(7): weft.1, and weft-COMMAND.1 with the sub-commands of that command. */
import type { Block, Section } from './sections.js';
import {
  type ArgumentEntry,
  type CommandEntry,
  factsOf,
  type OptionEntry,
  valueText,
  withDescendants,
} from './tree.js';

const COMMON = 'Common options';

/** What a page says of itself. */
export interface Edition {
  readonly version: string;
  /** `2026-11-30` */
  readonly date: string;
}

/** All pages, by their file names. */
export function manualPages(program: CommandEntry, edition: Edition): Record<string, string> {
  const pages = [program, ...program.commands].map((command) => [
    `${command.path.join('-')}.1`,
    manualPage(command, program, edition),
  ]);
  return Object.fromEntries(pages);
}

function manualPage(command: CommandEntry, program: CommandEntry, { version, date }: Edition): string {
  const name = command.path.join('-');
  const isProgram = command === program;
  const described = isProgram ? [command] : withDescendants(command);
  const lines = [
    `.TH ${name.toUpperCase()} 1 ${date} "weft ${version}" "weft manual"`,
    '.SH NAME',
    `${escaped(name)} \\- ${escaped(isProgram ? 'userspace overlay router' : command.summary)}`,
    '.SH SYNOPSIS',
    ...described.flatMap((each, i) => [...(i > 0 ? ['.br'] : []), ...synopsis(each)]),
    '.SH DESCRIPTION',
    ...paragraph(command.description),
    ...sectionsWith(command, undefined).flatMap(({ blocks }) => blocksOf(blocks)),
    ...(isProgram ? commandList(program) : entriesUnder('.SH COMMANDS', command.commands.map(commandPart))),
    ...entriesUnder('.SH ARGUMENTS', command.arguments.map(argumentItem)),
    ...optionsPart(distinct([...command.options, ...described.flatMap(optionsOf).filter(isCommon)])),
    ...closing(command, program),
  ];
  return `${tidy(lines).join('\n')}\n`;
}

/** A heading begins a paragraph by itself. */
function tidy(lines: readonly string[]): string[] {
  return lines.filter((line, i) => line !== '.PP' || !/^\.S[HS] /.test(lines[i - 1] ?? ''));
}

/** What every page ends with. */
function closing(command: CommandEntry, program: CommandEntry): string[] {
  const all = command === program ? withDescendants(program) : withDescendants(command);
  const options = [
    ...new Map(all.flatMap(optionsOf).map((option) => [option.names.join(), option])).values(),
  ];
  const own = sectionsWith(command, 'Exit codes');
  const exit = own.length > 0 ? own : sectionsWith(program, 'Exit codes');
  const examples = ['Example', 'Examples'].flatMap((heading) => sectionsWith(command, heading));
  const others = program.commands.filter((other) => other !== command);
  const seeAlso = command === program ? others : [program];
  return [
    '.SH EXIT STATUS',
    ...exit.flatMap(({ blocks }) => blocksOf(blocks)),
    ...entriesUnder('.SH ENVIRONMENT', variablesOf(options)),
    ...entriesUnder('.SH FILES', filesOf(options)),
    ...(examples.length === 0 ? [] : ['.SH EXAMPLES', ...examples.flatMap(({ blocks }) => blocksOf(blocks))]),
    '.SH SEE ALSO',
    ...seeAlso.map(({ path }, i) => `.BR ${escaped(path.join('-'))} (1)${i < seeAlso.length - 1 ? ',' : ''}`),
  ];
}

function optionsOf({ options }: CommandEntry): readonly OptionEntry[] {
  return options;
}

function isCommon({ group }: OptionEntry): boolean {
  return group === COMMON;
}

/** Each once, in the order of the first. */
function distinct(options: readonly OptionEntry[]): OptionEntry[] {
  return [...new Map(options.map((option) => [option.names.join(), option])).values()];
}

function synopsis({ path, arguments: args, options, commands }: CommandEntry): string[] {
  if (commands.length > 0) return [`.B ${escaped(path.join(' '))}`, '.I command', dots('RI [ option', ']')];
  const needed = options.filter(({ required }) => required);
  return [
    `.B ${escaped(path.join(' '))}`,
    ...needed.map(({ names, value }) => `.BI ${escaped(names.at(-1) ?? '')} " ${value?.name ?? ''}"`),
    dots('RI [ option', ']'),
    ...args.map((argument) => escaped(valueText(argument))),
  ];
}

function dots(before: string, after: string): string {
  return `.${before} " ...${after}"`;
}

function commandList({ commands }: CommandEntry): string[] {
  const groups = [...new Set(commands.map(({ group }) => group))];
  return [
    '.SH COMMANDS',
    ...groups.flatMap((group) => [
      `.SS ${escaped(group)}`,
      ...commands
        .filter((command) => command.group === group)
        .flatMap(({ path, summary }) => ['.TP', `.BR ${escaped(path.join('-'))} (1)`, escaped(summary)]),
    ]),
  ];
}

/** A sub-command, on the page of its command. */
function commandPart(command: CommandEntry): string[] {
  const { path, description, arguments: args, options, sections } = command;
  return [
    `.SS ${escaped(path.join(' '))}`,
    ...paragraph(description),
    ...[...args.map(argumentItem), ...options.filter((option) => !isCommon(option)).map(optionItem)].flat(),
    ...sections.flatMap(({ blocks }) => blocksOf(blocks)),
  ];
}

function optionsPart(options: readonly OptionEntry[]): string[] {
  const groups = [...new Set(options.map(({ group }) => group))];
  return [
    '.SH OPTIONS',
    ...groups.flatMap((group) => [
      ...(groups.length > 1 && group !== 'Options' ? [`.SS ${escaped(group)}`] : []),
      ...options.filter((option) => option.group === group).flatMap(optionItem),
    ]),
  ];
}

function argumentItem(argument: ArgumentEntry): string[] {
  return ['.TP', `.I ${escaped(valueText(argument))}`, itemText(argument)];
}

function optionItem(option: OptionEntry): string[] {
  const { names, value } = option;
  const term = escaped(names.join(', '));
  return [
    '.TP',
    value === undefined ? `.B ${term}` : `.BI "${term}" " ${escaped(value.name)}"`,
    itemText(option),
  ];
}

function itemText(entry: ArgumentEntry | OptionEntry): string {
  return wrapped([entry.description, ...factsOf(entry)].join('; '));
}

/** Variables of the environment and what they stand for. */
function variablesOf(options: readonly OptionEntry[]): string[][] {
  return options.flatMap(({ variable, names, description }) =>
    variable === undefined
      ? []
      : [['.TP', `.B ${escaped(variable)}`, wrapped(`as ${names.at(-1)}: ${withoutBrackets(description)}`)]],
  );
}

/** Files that are there unless an option names others. */
function filesOf(options: readonly OptionEntry[]): string[][] {
  return options.flatMap(({ value, names, description, default: chosen }) => {
    const path = chosen ?? /\(default: (\/[^\s)]+)\)/.exec(description)?.[1];
    if (!path?.startsWith('/') || !/^(dir|file)$/.test(value?.name ?? '')) return [];
    return [['.TP', `.I ${escaped(path)}`, wrapped(`${withoutBrackets(description)} (${names.at(-1)})`)]];
  });
}

function withoutBrackets(description: string): string {
  return description.replace(/ \((?:or set|default:) [^)]*\)/g, '');
}

function entriesUnder(heading: string, items: readonly (readonly string[])[]): string[] {
  return items.length === 0 ? [] : [heading, ...items.flat()];
}

function sectionsWith({ sections }: CommandEntry, heading: string | undefined): Section[] {
  return sections.filter((section) => section.heading === heading);
}

function blocksOf(blocks: readonly Block[]): string[] {
  return blocks.flatMap((block) =>
    block.kind === 'paragraph'
      ? paragraph(block.text)
      : ['.PP', '.nf', '.RS 2', ...block.lines.map(escaped), '.RE', '.fi'],
  );
}

function paragraph(text: string): string[] {
  return ['.PP', wrapped(text)];
}

/** A text as lines that are not too long for editors; roff joins them again. */
function wrapped(text: string): string {
  return text
    .replace(/(.{1,60})(?: +|$)/g, '$1\n')
    .trimEnd()
    .split('\n')
    .map(escaped)
    .join('\n');
}

/** A line of text that roff takes for nothing else. */
function escaped(text: string): string {
  const safe = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(
      /[^\x20-\x7e]/g,
      (letter) => `\\[u${letter.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`,
    );
  return /^[.']/.test(safe) ? `\\&${safe}` : safe;
}

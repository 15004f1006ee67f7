/** docs/reference.md. */
import type { Section } from './sections.js';
import {
  type ArgumentEntry,
  type CommandEntry,
  factsOf,
  type OptionEntry,
  valueText,
  withDescendants,
} from './tree.js';

const HEAD = `# Reference of the command line

Every command with its arguments and options, as \`weft COMMAND --help\` and the manual pages have them. This page is made
from the commands themselves by \`npx tsx scripts/reference/main.ts\`; [guide.md](guide.md) says what they are for.
`;
const LONGEST = 120;
const COMMON = 'Common options';

/** The page of a tree. */
export function referencePage(program: CommandEntry): string {
  const commands = withDescendants(program);
  const common = commands.flatMap(({ options }) => options).filter(({ group }) => group === COMMON);
  const unique = [...new Map(common.map((option) => [option.names.join(), option])).values()];
  return [
    HEAD,
    contents(program),
    `## ${COMMON}\n\n${unique.map(optionItem).join('')}`,
    ...commands.map(commandPart),
  ].join('\n');
}

function contents({ commands }: CommandEntry): string {
  const groups = [...new Set(commands.map(({ group }) => group))];
  return groups
    .map((group) => {
      const own = commands.filter((command) => command.group === group);
      const links = own.map(
        ({ path, summary }) => `- [${path.slice(1).join(' ')}](#${path.join('-')}): ${summary}\n`,
      );
      return `${group}:\n\n${links.join('')}`;
    })
    .join('\n');
}

function commandPart(command: CommandEntry): string {
  const { path, usage, description, options, sections } = command;
  const own = options.filter(({ group, names }) => group !== COMMON && !names.includes('--help'));
  const groups = [...new Set(own.map(({ group }) => group))];
  return [
    `${'#'.repeat(Math.max(2, path.length))} ${path.join(' ')}\n`,
    `    ${path.join(' ')} ${usage}\n`,
    `${wrap(inline(description))}\n`,
    list('', command.arguments.map(argumentItem)),
    ...groups.map((group) => {
      const items = own.filter((option) => option.group === group).map(optionItem);
      return list(group === 'Options' ? '' : `${group}:\n\n`, items);
    }),
    ...sections.map(sectionText),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function list(heading: string, items: readonly string[]): string {
  return items.length === 0 ? '' : heading + items.join('');
}

function argumentItem(argument: ArgumentEntry): string {
  return item(`\`${valueText(argument)}\``, argument);
}

function optionItem(option: OptionEntry): string {
  const value = option.value === undefined ? '' : ` ${valueText(option.value)}`;
  const needed = option.required ? ', required' : '';
  return item(`\`${option.names.join(', ')}${value}\`${needed}`, option);
}

function item(term: string, entry: ArgumentEntry | OptionEntry): string {
  const facts = factsOf(entry).map((fact) => `; ${fact}`);
  return `${wrap(`- ${term}: ${inline(entry.description + facts.join(''))}`, '  ')}\n`;
}

function sectionText({ heading, blocks }: Section): string {
  const parts = blocks.map((block) =>
    block.kind === 'paragraph'
      ? wrap(inline(block.text))
      : block.lines.map((line) => `    ${line}`.trimEnd()).join('\n'),
  );
  return `${[...(heading === undefined ? [] : [`${heading}:`]), ...parts].join('\n\n')}\n`;
}

/** What Markdown would take for tags, outside of what is quoted. */
function inline(text: string): string {
  const parts = text.split('`');
  return parts.map((part, i) => (i % 2 === 1 ? part : part.replace(/[<>*]/g, '\\$&'))).join('`');
}

function wrap(text: string, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && `${line} ${word}`.length > LONGEST) {
      lines.push(line);
      line = indent + word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}

/** What may be completed where, as the scripts of all shells have it. */
import { type CommandEntry, type Value, withDescendants } from './tree.js';

/** What completes a word: one of these words, what the running router knows of a kind, names of files or directories, or nothing. */
export type Source =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'live'; readonly of: string }
  | { readonly kind: 'files' | 'directories' | 'nothing' };

/** A word and what it means. */
export interface Offer {
  readonly word: string;
  readonly meaning: string;
}

/** What may come after a command. */
export interface Step {
  /** The command without `weft`: `docker enable`; empty for weft alone. */
  readonly command: string;
  readonly commands: readonly Offer[];
  readonly options: readonly Offer[];
  /** By option, for those that take a value. */
  readonly values: readonly (readonly [option: string, source: Source])[];
  /** Of the first argument, the second, … */
  readonly arguments: readonly Source[];
  /** Of all arguments after those. */
  readonly rest: Source;
}

/** By the names that values have in the help. */
const LIVE: Readonly<Record<string, string>> = {
  peer: 'peers',
  container: 'containers',
  'container|address': 'containers',
  ...{ from: 'containers', to: 'containers' },
  network: 'networks',
  'name|address': 'names',
  target: 'targets',
  policy: 'policies',
};
const NOTHING: Source = { kind: 'nothing' };

/** All steps of a tree, those with the shortest commands first. */
export function stepsOf(program: CommandEntry): Step[] {
  const help = { word: 'help', meaning: 'show the help of a command' };
  return withDescendants(program).flatMap((entry) => {
    const subs = entry.commands.map(({ path, summary }) => ({
      word: path.at(-1) ?? '',
      meaning: firstSentence(summary),
    }));
    const step = { ...stepOf(entry), commands: subs.length === 0 ? [] : [...subs, help] };
    if (subs.length === 0) return [step];
    const words = subs.map(({ word }) => word);
    return [step, { ...EMPTY, command: `${step.command} help`.trim(), arguments: [wordsOf(words)] }];
  });
}

const EMPTY: Omit<Step, 'command'> = {
  ...{ commands: [], options: [], values: [], arguments: [], rest: NOTHING },
};

function stepOf({ path, options, arguments: args }: CommandEntry): Step {
  const last = args.at(-1);
  return {
    command: path.slice(1).join(' '),
    commands: [],
    options: options.flatMap(({ names, description }) =>
      names.map((word) => ({ word, meaning: firstSentence(description) })),
    ),
    values: options.flatMap(({ names, value }) =>
      value === undefined ? [] : names.map((name) => [name, sourceOf(value)] as const),
    ),
    arguments: args.filter(({ variadic }) => !variadic).map(sourceOf),
    rest: last?.variadic ? sourceOf(last) : NOTHING,
  };
}

function sourceOf({ name, choices }: Value): Source {
  if (choices.length > 0) return wordsOf(choices);
  if (name === 'dir') return { kind: 'directories' };
  if (name === 'file' || name === 'path') return { kind: 'files' };
  const of = LIVE[name];
  return of === undefined ? NOTHING : { kind: 'live', of };
}

function wordsOf(words: readonly string[]): Source {
  return { kind: 'words', words };
}

/** Short enough for a line of a list. */
function firstSentence(text: string): string {
  const [sentence = ''] = text.split(/[:;.](?: |$)| \(/);
  return sentence.trim();
}

/** As the scripts spell it: `text json`, `@live peers`, `@files`, `@directories`, or nothing. */
export function spelled(source: Source): string {
  switch (source.kind) {
    case 'words':
      return source.words.join(' ');
    case 'live':
      return `@live ${source.of}`;
    case 'nothing':
      return '';
    default:
      return `@${source.kind}`;
  }
}

/** In single quotes, for bash and zsh. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

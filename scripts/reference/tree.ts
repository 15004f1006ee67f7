/** The command line as data, read from the commander tree that the command itself obeys. */
import type { Argument, Command, Option } from 'commander';
import { weftProgram } from '../../src/cli/program.js';
import { type Section, sectionsOf } from './sections.js';

/** An argument, or the value of an option. */
export interface Value {
  /** As its angle brackets have it: `peer`, `file`, `container|address`. */
  readonly name: string;
  readonly required: boolean;
  readonly variadic: boolean;
  /** Empty when anything goes. */
  readonly choices: readonly string[];
}

export interface ArgumentEntry extends Value {
  readonly description: string;
  readonly default: string | undefined;
}

export interface OptionEntry {
  /** `-o`, `--output` */
  readonly names: readonly string[];
  /** Absent when it takes none. */
  readonly value: Value | undefined;
  readonly description: string;
  readonly default: string | undefined;
  /** Variable of the environment that says the same. */
  readonly variable: string | undefined;
  readonly required: boolean;
  /** Heading under which the help has it. */
  readonly group: string;
}

export interface CommandEntry {
  /** `['weft', 'docker', 'enable']` */
  readonly path: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly usage: string;
  readonly group: string;
  readonly arguments: readonly ArgumentEntry[];
  readonly options: readonly OptionEntry[];
  readonly commands: readonly CommandEntry[];
  /** What the help says after the options. */
  readonly sections: readonly Section[];
}

/** The whole tree. */
export async function commandTree(): Promise<CommandEntry> {
  let help = '';
  const program = await weftProgram({
    writeOut: (text) => {
      help += text;
    },
  });
  const textAfter = (command: Command) => {
    help = '';
    command.outputHelp();
    return help.slice(command.helpInformation().length);
  };
  return entryOf(program, [], textAfter);
}

function entryOf(
  command: Command,
  parents: readonly string[],
  textAfter: (command: Command) => string,
): CommandEntry {
  const path = [...parents, command.name()];
  const help = command.createHelp();
  return {
    path,
    summary: command.summary() || command.description(),
    description: command.description(),
    usage: command.usage(),
    group: headingOf(command.helpGroup()),
    arguments: command.registeredArguments.map(argumentEntry),
    options: help.visibleOptions(command).map(optionEntry),
    commands: command.commands.map((sub) => entryOf(sub, path, textAfter)),
    sections: sectionsOf(textAfter(command)),
  };
}

function argumentEntry(argument: Argument): ArgumentEntry {
  const { description, argChoices = [], defaultValue, required, variadic } = argument;
  return {
    ...{ name: argument.name(), required, variadic, choices: argChoices },
    ...{ description, default: defaultText(defaultValue) },
  };
}

function optionEntry(option: Option): OptionEntry {
  const { short, long, description, defaultValue, mandatory, helpGroupHeading = 'Options' } = option;
  return {
    names: [short, long].filter((name) => name !== undefined),
    value: optionValue(option),
    description,
    default: defaultText(defaultValue),
    variable: option.envVar ?? /\bset (WEFT_[A-Z_]+)/.exec(description)?.[1],
    required: mandatory,
    group: headingOf(helpGroupHeading),
  };
}

function optionValue({ flags, required, optional, variadic, argChoices = [] }: Option): Value | undefined {
  const [, name] = /[<[]([^\]>.]+)/.exec(flags) ?? [];
  if (name === undefined || !(required || optional)) return undefined;
  return { name, required, variadic, choices: argChoices };
}

function defaultText(value: unknown): string | undefined {
  return value === undefined || typeof value === 'boolean' ? undefined : String(value);
}

function headingOf(group: string): string {
  return group.replace(/:$/, '');
}

/** A command and all below it. */
export function withDescendants(entry: CommandEntry): CommandEntry[] {
  return [entry, ...entry.commands.flatMap(withDescendants)];
}

/** `<peer>`, `[address...]`; of an option `<format>`. */
export function valueText({ name, required, variadic }: Value): string {
  const text = variadic ? `${name}...` : name;
  return required ? `<${text}>` : `[${text}]`;
}

/** What its place in the tree says beside the description: choices, default, environment, or nothing. */
export function factsOf(entry: ArgumentEntry | OptionEntry): string[] {
  const value = 'names' in entry ? entry.value : entry;
  const choices = value?.choices ?? [];
  const variable = 'names' in entry && !entry.description.includes(entry.variable ?? '-') && entry.variable;
  return [
    ...(choices.length > 0 ? [`one of ${choices.join(', ')}`] : []),
    ...(entry.default === undefined ? [] : [`default: ${entry.default}`]),
    ...(variable ? [`or set ${variable}`] : []),
  ];
}

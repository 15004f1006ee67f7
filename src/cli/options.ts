import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';

/** What every command takes. */
export interface CommonOptions {
  readonly output: 'text' | 'json';
  readonly runDir: string;
  readonly stateDir: string;
}

/** Adds the options of every command. */
export function withCommonOptions(command: Command): Command {
  return command
    .optionsGroup('Common options:')
    .helpOption('-h, --help', 'show this help')
    .addOption(new Option('-o, --output <format>', 'how to answer').choices(['text', 'json']).default('text'))
    .addOption(
      new Option('--run-dir <dir>', 'sockets, logs and pid of the router')
        .env('WEFT_RUN_DIR')
        .default('/run/weft')
        .argParser(directory),
    )
    .addOption(
      new Option('--state-dir <dir>', 'identity, network, targets and attachments of the router')
        .env('WEFT_STATE_DIR')
        .default('/var/lib/weft')
        .argParser(directory),
    );
}

/** What commands that list take. */
export interface QuietOption {
  readonly quiet?: boolean;
}

/** Adds the option with which scripts get what other commands take, and nothing else. */
export function withQuiet(command: Command, what: string): Command {
  return command.addOption(
    new Option('-q, --quiet', `print only ${what}, one a line: for scripts`).conflicts('output'),
  );
}

/** For options that name a directory: an absolute path. */
export function directory(path: string): string {
  return resolve(path);
}

/** For options that take a whole number of a range. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = numberIn(text, minimum, maximum);
    if (value !== undefined) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`);
  };
}

function numberIn(text: string, minimum: number, maximum: number): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= minimum && value <= maximum ? value : undefined;
}

/** For options that take `auto` or a whole number. */
export function autoOrNumber(minimum: number, maximum: number): (text: string) => 'auto' | number {
  return wordOrNumber('auto', minimum, maximum);
}

/** For limits that `none` (or 0) lifts. */
export function noneOrNumber(maximum: number): (text: string) => number {
  const parse = wordOrNumber('none', 0, maximum);
  return (text) => {
    const value = parse(text);
    return value === 'none' ? 0 : value;
  };
}

function wordOrNumber<W extends string>(word: W, minimum: number, maximum: number) {
  return (text: string): W | number => {
    const value = text === word ? word : numberIn(text, minimum, maximum);
    if (value !== undefined) return value;
    throw new InvalidArgumentError(`It must be ${word} or a whole number from ${minimum} to ${maximum}.`);
  };
}

/** For options that may be given several times, each time with one of these words. */
export function collectOf(words: readonly string[]): (text: string, before: unknown) => string[] {
  return (text, before) => {
    if (words.includes(text)) return collect(text, before);
    throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`);
  };
}

/** For options that may be given several times. */
export function collect(text: string, before: unknown): string[] {
  return [...(Array.isArray(before) ? before.map(String) : []), text];
}

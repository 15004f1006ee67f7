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
    .addOption(new Option('-o, --output <format>', 'how to answer').choices(['text', 'json']).default('text'))
    .addOption(
      new Option('--run-dir <dir>', 'sockets, logs and pid of the router')
        .env('WEFT_RUN_DIR')
        .default('/run/weft')
        .argParser(absolute),
    )
    .addOption(
      new Option('--state-dir <dir>', 'identity, network, targets and attachments of the router')
        .env('WEFT_STATE_DIR')
        .default('/var/lib/weft')
        .argParser(absolute),
    );
}

function absolute(path: string): string {
  return resolve(path);
}

/** For options that take a whole number of a range. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`);
  };
}

/** For options that take `auto` or a whole number. */
export function autoOrNumber(minimum: number, maximum: number): (text: string) => 'auto' | number {
  const number = wholeNumber(minimum, maximum);
  return (text) => (text === 'auto' ? text : number(text));
}

/** For options that may be given several times. */
export function collect(text: string, before: unknown): string[] {
  return [...(Array.isArray(before) ? before.map(String) : []), text];
}

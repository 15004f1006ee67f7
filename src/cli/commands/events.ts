import { type Command, InvalidArgumentError } from 'commander';
import { WeftError } from '../../errors.js';
import { type EventLine, sentence } from '../../events/index.js';
import { printable } from '../../text/index.js';
import { follow } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { write } from '../terminal/index.js';

const HELP = `
A router keeps its newest 4,096 events while it runs. The kinds of events and their fields are in docs/observe.md.

Examples:
  weft events                          what happens from now on, until Ctrl-C
  weft events --since 10m --no-follow  what happened in the last ten minutes
  weft events --since 0 -o json        everything that is known and what comes, as JSON, a line each
  weft events --since 17 -o json       what came after number 17 (a script that goes on where it was)`;

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

type Since = { readonly since: number } | { readonly milliseconds: number };

interface EventsOptions extends CommonOptions {
  readonly since?: Since;
  readonly follow: boolean;
}

/** `weft events` */
export function registerEvents(program: Command): void {
  const command = program
    .command('events')
    .summary('what happens, as it happens')
    .description('Prints what happens to the router, a line each: peers, paths, containers, names, faults.')
    .option(
      '--since <place>',
      'begin after the event of this number, or so long ago: 17, 30s, 10m, 2h, 1d',
      parseSince,
    )
    .option('--no-follow', 'end after what there is')
    .addHelpText('after', HELP)
    .action(events);
  withCommonOptions(command);
}

/** A sequence number, or a duration. */
function parseSince(text: string): Since {
  const [, digits = '', unit = ''] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? [];
  if (digits === '')
    throw new InvalidArgumentError('It must be a number, or a duration such as 30s, 10m, 2h or 1d.');
  const milliseconds = Number(digits) * (UNITS[unit] ?? 0);
  return unit === '' ? { since: Number(digits) } : { milliseconds };
}

async function events({ runDir, output, since, follow: goesOn }: EventsOptions): Promise<void> {
  const query = new URLSearchParams({ follow: String(goesOn), ...placeOf(since, goesOn) });
  for await (const line of await follow<EventLine>(runDir, `/events?${query}`)) {
    await write(`${output === 'json' ? printable(JSON.stringify(line)) : describe(line)}\n`);
  }
  if (goesOn) throw new WeftError('not-running', 'the router stopped: there are no more events');
}

function placeOf(since: Since | undefined, goesOn: boolean): Record<string, string> {
  if (since === undefined) return goesOn ? {} : { since: '0' };
  if ('since' in since) return { since: String(since.since) };
  return { after: String(Math.max(0, Date.now() - since.milliseconds)) };
}

function describe(line: EventLine): string {
  const time = line.kind === 'lost' ? '' : localTime(line.time);
  return printable(`${time.padEnd(19)}  ${line.kind.padEnd(18)}  ${sentence(line)}`);
}

/** As people here read it: `2026-11-29 17:04:05`. */
function localTime(time: string): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}

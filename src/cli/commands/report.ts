import type { Command } from 'commander';
import type { Report } from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { write } from '../terminal/index.js';

/** `weft report` */
export function registerReport(program: Command): void {
  const command = program
    .command('report')
    .summary('everything that the router knows, as JSON')
    .description(
      'Prints everything that the router knows as JSON, for a program or a bug report. It holds no secret.',
    )
    .action(report);
  withCommonOptions(command);
}

async function report({ runDir }: CommonOptions): Promise<void> {
  const answer = await ask<Report>(runDir, 'GET', '/report');
  await write(`${JSON.stringify(answer, undefined, 2)}\n`);
}

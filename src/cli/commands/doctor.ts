import type { Command } from 'commander';
import { DEFAULT_PORT } from '../../address.js';
import type { Status } from '../../api/index.js';
import { ask } from '../client.js';
import type { Finding, Level } from '../diagnosis.js';
import { type CommonOptions, wholeNumber, withCommonOptions } from '../options.js';
import { print } from '../output.js';

/** `weft doctor` */
export function registerDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .summary('find out what on this host is in the way')
    .description(
      'Checks the kernel, privileges, devices, commands, MTU, port, clock and packet filter of this host, and says what to do about each fault. Needs no running router. Exit code 1 if something fails.',
    )
    .option(
      '--port <port>',
      'that the router is to use (default: 6783, or that of the running one)',
      wholeNumber(1, 65_535),
    )
    .action(doctor);
  withCommonOptions(command);
}

async function doctor(options: CommonOptions & { port?: number }): Promise<void> {
  const { diagnose } = await import('../diagnosis.js');
  const router = await ask<Status>(options.runDir, 'GET', '/status').catch(() => undefined);
  const port = options.port ?? router?.port ?? DEFAULT_PORT;
  const findings = await diagnose({ port, running: router !== undefined && router.port === port });
  await print(options, findings, (found) => found.map(describe).join('\n'));
  if (findings.some(({ level }) => level === 'fail')) process.exitCode = 1;
}

const COLOURS: Readonly<Record<Level, string>> = { ok: '32', warn: '33', fail: '31' };

function describe({ check, level, finding, remedy }: Finding): string {
  const label = process.stdout.isTTY
    ? `\u001b[${COLOURS[level]}m${level.padEnd(4)}\u001b[0m`
    : level.padEnd(4);
  const line = `${label}  ${check.padEnd(13)}  ${finding}`;
  return remedy === undefined ? line : `${line}\n${' '.repeat(21)}→ ${remedy}`;
}

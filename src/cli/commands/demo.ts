import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { WeftError } from '../../errors.js';
import { missingCommands, packageOf } from '../../hostnet/index.js';
import { packageRoot } from '../../version.js';
import { installing } from '../distribution.js';

const HELP = `
The hosts are network namespaces of this machine, the routers are real. Nothing else on the machine is touched, and nothing is left
behind. With iperf3 it shows how fast it is.`;

/** Its own hosts without being root, as far as the kernel lets. */
const AS_ROOT = ['unshare', '--user', '--map-root-user', '--net', '--mount'];

/** `weft demo` */
export function registerDemo(program: Command): void {
  program
    .command('demo')
    .summary('watch three hosts on this machine find each other')
    .description(
      'Makes three hosts with a container each on this machine, joins them, and shows what they do. Stays up until Ctrl-C.',
    )
    .option('--once', 'end by itself; exits with 0 if every step held')
    .addHelpText('after', HELP)
    .action(demo);
}

async function demo({ once: endsByItself = false }: { readonly once?: boolean }): Promise<void> {
  const missing = await missingCommands(['ip', 'nft', 'ping', 'bash', 'unshare', 'tc']);
  if (missing.length > 0) {
    const remedy = installing([...new Set(missing.map(packageOf))]);
    throw new WeftError('command-missing', `the demo needs ${missing.join(', ')}: ${remedy}`);
  }
  const show = join(packageRoot(), 'dist', 'demo', 'main.js');
  if (!existsSync(show))
    throw new WeftError(
      'program-missing',
      'this installation of weft has no demo: `make demo` in its source',
    );
  const [program = '', ...args] = [
    ...(process.getuid?.() === 0 ? [] : AS_ROOT),
    ...[process.execPath, show, ...(endsByItself ? ['--once'] : [])],
  ];
  process.on('SIGINT', () => {}); // it is the demo's, which removes what it made
  const child = spawn(program, args, { stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  process.exitCode = typeof code === 'number' ? code : 1;
}

/** The `weft` command. */
import '../inspector.js';
import { type Command, CommanderError } from 'commander';
import { requirePlatformPackage } from '../platform-package.js';
import { fail } from './errors.js';
import { isCommand, weftProgram } from './program.js';
import { watchStreams, write } from './terminal/index.js';

async function main(args: readonly string[]): Promise<void> {
  let help = '';
  const [name = ''] = args;
  if (isCommand(name)) requirePlatformPackage();
  const program = await weftProgram(
    {
      writeOut: (text) => {
        help += text;
      },
    },
    isCommand(name) ? name : undefined,
  );
  if (args.length === 0) program.outputHelp();
  else await obey(program, args);
  await write(help);
}

/** Commander has printed what it has to say about a wrong command line, or has gathered its help. */
async function obey(program: Command, args: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
}

watchStreams();
await main(process.argv.slice(2)).catch(fail);

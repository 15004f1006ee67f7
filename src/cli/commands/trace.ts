import type { Command } from 'commander';
import type { TraceHop } from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { latency, print, table } from '../terminal/index.js';

const HELP = `
Each line is a router that packets pass, with the round trip from here to it over the overlay. The last is the peer itself, unless a
router on the way does not know how it goes on.

Example:
  weft trace host-e`;

/** `weft trace` */
export function registerTrace(program: Command): void {
  const command = program
    .command('trace')
    .summary('the routers on the way to another')
    .description('Shows which routers packets pass on their way to another router.')
    .argument('<peer>', 'nickname or peer id (or its first digits)')
    .addHelpText('after', HELP)
    .action(trace);
  withCommonOptions(command);
}

async function trace(peer: string, options: CommonOptions): Promise<void> {
  const hops = await ask<TraceHop[]>(options.runDir, 'POST', '/trace', { peer });
  await print(options, hops, (way) =>
    table(
      ['hop', 'router', 'peer', 'rtt'],
      way.map(({ peer: id, nickname, rtt }, i) => [
        String(i + 1),
        nickname,
        id,
        rtt === null ? 'no answer' : latency(rtt),
      ]),
      'no way',
    ),
  );
}

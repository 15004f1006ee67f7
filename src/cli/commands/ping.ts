import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Pong } from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, wholeNumber, withCommonOptions } from '../options.js';
import { latency, write } from '../terminal/index.js';

const INTERVAL = 1_000;

const HELP = `
Probes travel as the packets of containers do: encrypted, over UDP, through relays or over TCP.
Exits with 1 when no probe was answered.

Examples:
  weft ping host-b
  weft ping 15a82f92fdccaaee --count 1`;

interface PingOptions extends CommonOptions {
  readonly count: number;
}

/** `weft ping` */
export function registerPing(program: Command): void {
  const command = program
    .command('ping')
    .summary('measure the way to another router')
    .description('Sends probes to another router over the overlay, one a second.')
    .argument('<peer>', 'nickname or peer id (or its first digits)')
    .option('-c, --count <n>', 'how many probes', wholeNumber(1, 1_000_000), 4)
    .addHelpText('after', HELP)
    .action(ping);
  withCommonOptions(command);
}

async function ping(peer: string, { runDir, output, count }: PingOptions): Promise<void> {
  const pongs: Pong[] = [];
  for (let i = 0; i < count; i += 1) {
    if (i > 0) await delay(INTERVAL);
    const pong = await ask<Pong>(runDir, 'POST', '/ping', { peer });
    pongs.push(pong);
    if (output === 'text') await write(`${pongText(pong)}\n`);
  }
  const answered = pongs.flatMap(({ rtt }) => rtt ?? []);
  if (answered.length === 0) process.exitCode = 1;
  if (output === 'json') await write(`${JSON.stringify(pongs, undefined, 2)}\n`);
  else await write(`${summary(answered, count)}\n`);
}

function pongText({ nickname, peer, path, viaNickname, rtt }: Pong): string {
  const how = path === 'relay' ? ` through ${viaNickname}` : path === 'tcp' ? ' over TCP' : '';
  return `${nickname} (${peer})${how}: ${rtt === null ? 'no answer' : latency(rtt)}`;
}

function summary(answered: readonly number[], sent: number): string {
  if (answered.length === 0) return `0 of ${sent} answered: \`weft status paths\` tells what was tried`;
  const mean = answered.reduce((sum, rtt) => sum + rtt, 0) / answered.length;
  const range = [Math.min(...answered), mean, Math.max(...answered)].map(latency).join(', ');
  return `${answered.length} of ${sent} answered; least, mean, most: ${range}`;
}

import type { Command } from 'commander';
import type { CheckCell, PeerCheck } from '../../api/index.js';
import { WeftError } from '../../errors.js';
import { ask } from '../client.js';
import { type CommonOptions, wholeNumber, withCommonOptions } from '../options.js';
import { peerName, print, table } from '../terminal/index.js';

/** How long the router may take beyond the check itself, in milliseconds. */
const MARGIN = 10_000;

const HELP = `
For each peer:
  control    a message there and an answer back, over the control links
  data       small packets through the tunnel, both ways
  mtu        packets as large as containers may send, both ways, in one piece
  multicast  a frame to everybody, which the peer's router hears
  names      a name of this host is answered there, and one of the peer here
Nothing of it reaches a container. A dash stands for what cannot be told. Exits with 1 when something fails; what works, but could work
better, is shown with a remedy, too.

Examples:
  weft check
  weft check --timeout 60 --output json`;

/** The columns of the table. */
const COLUMNS = ['control', 'data', 'mtu', 'multicast', 'names'] as const;

/** `weft check` */
export function registerCheck(program: Command): void {
  const command = program
    .command('check')
    .summary('prove that all peers are reached, and how well')
    .description('Proves, peer by peer, that the mesh works, and says what to do where it does not.')
    .option('--timeout <seconds>', 'how long it may take in all', wholeNumber(1, 600), 30)
    .addHelpText('after', HELP)
    .action(check);
  withCommonOptions(command);
}

async function check(options: CommonOptions & { readonly timeout: number }): Promise<void> {
  const { runDir, timeout } = options;
  const peers = await ask<PeerCheck[]>(runDir, 'POST', '/check', { timeout }, timeout * 1000 + MARGIN);
  await print(options, peers, checkText);
  const failing = peers.filter((peer) => COLUMNS.some((column) => peer[column].state === 'fail'));
  if (failing.length === 0) return;
  const whom = peers.length === 1 ? 'with the only peer' : `with ${failing.length} of ${peers.length} peers`;
  throw new WeftError('check-failed', `not everything works ${whom}: the remedies are told with the faults`);
}

async function checkText(peers: readonly PeerCheck[]): Promise<string> {
  if (peers.length === 0) return 'nobody to check: this router knows no other';
  const rows = peers.map((peer) => [peerName(peer), ...COLUMNS.map((column) => peer[column].finding)]);
  const remedies = peers.flatMap((peer) =>
    COLUMNS.flatMap((column) => remedyText(peerName(peer), column, peer[column])),
  );
  return [
    await table(['peer', ...COLUMNS], rows, ''),
    ...(remedies.length > 0 ? ['', ...remedies] : []),
  ].join('\n');
}

function remedyText(peer: string, column: string, { finding, remedy }: CheckCell): string[] {
  return remedy === undefined ? [] : [`${peer}, ${column}: ${finding}`, `  → ${remedy}`];
}

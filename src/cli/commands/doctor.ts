import type { Command } from 'commander';
import type { Connection, Datapath, Peer, Status, Target } from '../../api/index.js';
import { DEFAULT_PORT, parseHostPort } from '../../net/index.js';
import { ask } from '../client.js';
import type { Finding, Level, SoughtPeer } from '../diagnosis.js';
import { type CommonOptions, wholeNumber, withCommonOptions } from '../options.js';
import { hasColours, print } from '../terminal/index.js';

/** `weft doctor` */
export function registerDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .summary('find out what on this host is in the way')
    .description(
      'Checks the kernel, privileges, devices, commands, MTU, port, routes, clock and packet filter of this host, and what a running router has on it, and says what to do about each fault. Needs no running router. Exit code 1 if something fails.',
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
  const [router, datapath] = await Promise.all([
    ask<Status>(options.runDir, 'GET', '/status').catch(() => undefined),
    ask<Datapath>(options.runDir, 'GET', '/datapath').catch(() => undefined),
  ]);
  const port = options.port ?? router?.port ?? DEFAULT_PORT;
  const findings = await diagnose({
    port,
    router,
    datapath,
    peers: router === undefined ? [] : await soughtPeers(options.runDir).catch(() => []),
  });
  if (findings.some(({ level }) => level === 'fail')) process.exitCode = 1;
  await print(options, findings, (found) => found.map(describe).join('\n'));
}

/** Members: where packets reach them, or at all their addresses; and targets that are not linked. */
async function soughtPeers(runDir: string): Promise<SoughtPeer[]> {
  const [peers, connections, targets] = await Promise.all([
    ask<Peer[]>(runDir, 'GET', '/peers'),
    ask<Connection[]>(runDir, 'GET', '/connections'),
    ask<Target[]>(runDir, 'GET', '/targets'),
  ]);
  const direct = new Map(
    connections.flatMap(({ peer, path, endpoint }) =>
      path === 'direct' && endpoint !== null ? [[peer, [endpoint]]] : [],
    ),
  );
  const members = peers.filter(({ self, state }) => !self && state !== 'left');
  return [
    ...members.map(({ peer, nickname, endpoints }) => ({
      name: nickname || peer,
      addresses: (direct.get(peer) ?? endpoints).flatMap(hostOf),
    })),
    ...targets
      .filter(({ state }) => state === 'waiting')
      .map(({ target }) => ({ name: target, addresses: hostOf(target) })),
  ];
}

/** Nothing for a name. */
function hostOf(place: string): string[] {
  const { kind, host } = parseHostPort(place);
  return kind === 'name' ? [] : [host];
}

const COLOURS: Readonly<Record<Level, string>> = { ok: '32', warn: '33', fail: '31' };

function describe({ check, level, finding, remedy }: Finding): string {
  const label = hasColours() ? `\u001b[${COLOURS[level]}m${level.padEnd(4)}\u001b[0m` : level.padEnd(4);
  const line = `${label}  ${check.padEnd(14)}  ${finding}`;
  return remedy === undefined ? line : `${line}\n${' '.repeat(22)}→ ${remedy}`;
}

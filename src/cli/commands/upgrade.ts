import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Status } from '../../api/index.js';
import { startDaemon } from '../../daemon/index.js';
import { WeftError } from '../../errors.js';
import { weftVersion } from '../../version.js';
import { askAnyVersion } from '../client.js';
import { processGone } from '../ending.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { print, showProgress } from '../terminal/index.js';

/** How long systemd may take to start a new daemon, and how often to look, ms. */
const PATIENCE = 30_000;
const POLL = 100;

const HELP = `
The daemon is ended and started again with the settings of the last launch, by systemd where that runs it. For the seconds in between the forwarder goes on
by itself: containers that are there notice nothing, new ones wait. The forwarder stays the one that it was. A package of weft does all this by itself when
it is upgraded.`;

/** `weft upgrade` */
export function registerUpgrade(program: Command): void {
  const command = program
    .command('upgrade')
    .summary('have the running router be of this version')
    .description(
      'Exchanges the daemon of the running router for that of this version, while traffic goes on.',
    )
    .addHelpText('after', HELP)
    .action(upgrade);
  withCommonOptions(command);
}

interface Upgrade {
  /** Null when no router ran. */
  readonly from: string | null;
  readonly to: string;
}

async function upgrade(options: CommonOptions): Promise<void> {
  const former = await runningRouter(options);
  if (former !== undefined) await exchange(former, options);
  const done: Upgrade = { from: former?.version ?? null, to: weftVersion() };
  await print(options, done, ({ from, to }) =>
    from === null ? 'no router runs here, so there is none to upgrade' : `upgraded from ${from} to ${to}`,
  );
}

async function runningRouter({ runDir }: CommonOptions): Promise<Status | undefined> {
  return await askAnyVersion<Status>(runDir, 'GET', '/status').catch((error: unknown) => {
    if (error instanceof WeftError && error.code === 'not-running') return undefined;
    throw error;
  });
}

/** What has just been killed is taken over by whatever is started next: nothing is told to a daemon that goes. */
async function exchange({ pid }: Status, options: CommonOptions): Promise<void> {
  const { runDir, stateDir } = options;
  const isOfSystemd = startedBySystemd(pid);
  const progress = showProgress('upgrading');
  try {
    process.kill(pid, 'SIGKILL');
    await processGone(pid);
    if (isOfSystemd) await successor(pid, options);
    else
      await startDaemon(options).launch(
        { runDir, stateDir, settings: {}, peers: [] },
        new AbortController().signal,
      );
  } finally {
    progress.stop();
  }
}

/** systemd starts again what was killed, and tells a process that it started its own number (systemd.exec(5)). */
function startedBySystemd(pid: number): boolean {
  return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`SYSTEMD_EXEC_PID=${pid}`);
}

async function successor(former: number, options: CommonOptions): Promise<void> {
  for (let waited = 0; waited < PATIENCE; waited += POLL) {
    // Whoever ends, or has only begun, may hang up instead of not being there.
    const found = await runningRouter(options).catch(() => undefined);
    if (found !== undefined && found.pid !== former) return;
    await delay(POLL);
  }
  const message = `systemd has not started the router again within ${PATIENCE / 1000} s: \`systemctl status weft\` tells why; the forwarder goes on`;
  throw new WeftError('launch-timeout', message);
}

/**
 * The daemon's process: takes the run directory as its argument and the launch request as a line on stdin (it may hold a secret), tells on
 * descriptor 3 how it went, and stays once the launcher, having read that, closes stdin.
 */
import '../inspector.js';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { WeftError } from '../errors.js';
import { runRouter } from './index.js';
import { type LaunchReport, sweepRunDir } from './launch/index.js';
import { parseLaunchRequest } from './state/index.js';
import { runPaths } from './state/paths.js';

const REPORT = 3;
const [, , RUN_DIR = ''] = process.argv;

async function main(): Promise<number> {
  let launcher: ReturnType<typeof createWriteStream> | undefined = createWriteStream('', { fd: REPORT });
  launcher.on('error', () => {}); // the launcher was interrupted; we stay
  const report = async (message: LaunchReport) => {
    await new Promise<void>((resolve) => {
      if (launcher === undefined) return resolve();
      launcher.end(`${JSON.stringify(message)}\n`, resolve);
      launcher = undefined;
    });
  };
  try {
    const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const { value: line, done } = await lines.next();
    if (done) return await giveUp();
    const request = parseLaunchRequest(JSON.parse(line));
    const logs = { file: runPaths(request.runDir).daemonLog };
    await runRouter(request, logs, async (ready) => {
      await report({ ready });
      await lines.next();
    });
    return 0;
  } catch (error) {
    await report({ error: describe(error) });
    return 1;
  }
}

/** The launcher ended before it said what to launch. */
async function giveUp(): Promise<number> {
  await sweepRunDir(RUN_DIR);
  return 1;
}

function describe(error: unknown): { code: string; message: string } {
  if (error instanceof WeftError) return { code: error.code, message: error.message };
  return {
    code: 'internal',
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}

process.exit(await main());

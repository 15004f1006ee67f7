import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Stopped } from '../api/index.js';
import { cleanUp } from '../daemon/index.js';
import { WeftError } from '../errors.js';
import { askAnyVersion } from './client.js';
import type { CommonOptions } from './options.js';

const POLL = 10;
const GRACE = 10_000;

/** What ended and what was removed. */
export interface Ending {
  /** It answered; false when it had been killed before. */
  readonly running: boolean;
  readonly removed: readonly string[];
  readonly forwarders: number;
  /** What could not be done. */
  readonly note: string | null;
}

/**
 * Ends the router and waits until its process is gone. What a killed one left is removed too. With `forget`, its state
 * directory as well.
 */
export async function endRouter({ runDir, stateDir }: CommonOptions, forget: boolean): Promise<Ending> {
  try {
    const { pid, removed, note } = await askAnyVersion<Stopped>(runDir, 'POST', forget ? '/reset' : '/stop');
    await processGone(pid);
    return { running: true, removed, forwarders: 1, note };
  } catch (error) {
    if (!isDead(error)) throw error;
    const { daemon, interfaces, forwarders } = await cleanUp({ runDir, stateDir, forget });
    return { running: daemon, removed: interfaces, forwarders, note: null };
  }
}

function isDead(error: unknown): boolean {
  return error instanceof WeftError && (error.code === 'not-running' || error.code === 'no-answer');
}

/** Resolves when a process has ended, or after 10 s. */
export async function processGone(pid: number): Promise<void> {
  for (let waited = 0; waited < GRACE && isAlive(pid); waited += POLL) await delay(POLL);
}

/** A zombie has ended: whoever is to collect it may take its time. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

/** One line about it. */
export function describeEnding({ running, removed, forwarders, note }: Ending, done: string): string {
  if (running) return note === null ? done : `${done}; ${note}`;
  if (removed.length === 0 && forwarders === 0) return `${done}: no router was running`;
  const found = [...removed, ...(forwarders > 0 ? ['its forwarder'] : [])].join(', ');
  return `${done}: the router was gone already, what it had left is removed (${found})`;
}

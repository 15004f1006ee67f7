/** What others do on the machine while the bench measures. */
import { readdir, readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import type { Node } from '../../test/lab/index.js';
import { clockTicks } from './usage.js';

const PF_KTHREAD = 0x0020_0000; // linux/sched.h

/** Watches the processes that are neither the bench nor in its namespaces. */
export class Disturbance {
  private constructor(
    private readonly nodes: readonly Node[],
    private readonly since: number,
    private readonly before: number,
  ) {}

  static async watch(nodes: readonly Node[]): Promise<Disturbance> {
    return new Disturbance(nodes, performance.now(), await othersTime(nodes));
  }

  /** The share of all cores that others have used since, 0 to 1. */
  async share(): Promise<number> {
    const elapsed = (performance.now() - this.since) / 1000;
    return ((await othersTime(this.nodes)) - this.before) / (elapsed * cpus().length);
  }
}

/** CPU seconds of others' processes. Those of a process that ended are its parent's: what it used is not lost. */
async function othersTime(nodes: readonly Node[]): Promise<number> {
  const processes = await everyProcess();
  const own = new Set([process.pid, ...nodes.flatMap((node) => node.processes())]);
  // What starts programs in the namespaces has the time of those that ended, and is itself in none.
  const isOwn = (pid: number): boolean => {
    const parent = processes.get(pid)?.parent;
    return own.has(pid) || (parent !== undefined && parent !== pid && isOwn(parent));
  };
  const others = [...processes].filter(([pid, { isKernels }]) => !isKernels && !isOwn(pid));
  return others.reduce((total, [, { ticks }]) => total + ticks, 0) / (await clockTicks);
}

interface Process {
  readonly parent: number;
  /** A thread of the kernel: it works for whoever sends packets. */
  readonly isKernels: boolean;
  /** CPU time, with that of ended children. */
  readonly ticks: number;
}

async function everyProcess(): Promise<Map<number, Process>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const read = await Promise.all(pids.map(async (pid) => [pid, await processOf(pid)] as const));
  return new Map(read.flatMap(([pid, found]) => (found === undefined ? [] : [[pid, found]])));
}

/** Undefined when it has ended meanwhile. */
async function processOf(pid: number): Promise<Process | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    parent: Number(fields[1]),
    isKernels: (Number(fields[6]) & PF_KTHREAD) !== 0,
    ticks: fields.slice(11, 15).reduce((total, field) => total + Number(field), 0),
  };
}

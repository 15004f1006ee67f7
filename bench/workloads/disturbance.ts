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
  const own = new Set([process.pid, ...nodes.flatMap((node) => node.processes())]);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const times = await Promise.all(pids.filter((pid) => !own.has(pid)).map(familyTime));
  return times.reduce((total, time) => total + time, 0);
}

/** CPU seconds of a process and its ended children; 0 for threads of the kernel, which work for whoever sends packets. */
async function familyTime(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return 0; // ended meanwhile
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if ((Number(fields[6]) & PF_KTHREAD) !== 0) return 0;
  const ticks = fields.slice(11, 15).reduce((total, field) => total + Number(field), 0);
  return ticks / (await clockTicks);
}

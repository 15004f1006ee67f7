/** What the machine and single processes use, out of /proc. */
import { readFile } from 'node:fs/promises';
import { lasting, run } from '../../test/lab/index.js';

/** Units of CPU time in /proc, per second. */
export const clockTicks = run(['getconf', 'CLK_TCK']).then(Number);

/** CPU seconds since boot, of all cores together. */
export interface MachineTime {
  /** User, system and interrupts. */
  readonly busy: number;
  readonly idle: number;
}

/** Stolen time counts as neither: another guest had it. */
export async function machineTime(): Promise<MachineTime> {
  const line = (await readFile('/proc/stat', 'utf8')).split('\n', 1)[0] ?? '';
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const hertz = await clockTicks;
  return { busy: (user + nice + system + irq + softirq) / hertz, idle: (idle + iowait) / hertz };
}

/** CPU seconds that a process and its threads have used. */
export async function processTime(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The second field is the command in parentheses and may hold anything; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / (await clockTicks);
}

/** Resident memory of a process in MB (10^6 bytes). */
export async function residentMemory(pid: number): Promise<number> {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kilobytes) * 1024) / 1e6;
}

/** Waits, at most 30 s, until no more than this share (0 to 1) of the machine's cores is busy over 0.3 s. */
export async function waitForQuiet(most = 0.1): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (let share = 1; share > most && performance.now() < deadline; ) {
    const before = await machineTime();
    await lasting(0.3);
    const after = await machineTime();
    const busy = after.busy - before.busy;
    share = busy / (busy + after.idle - before.idle);
  }
}

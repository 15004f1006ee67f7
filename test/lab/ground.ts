/**
 * What a lab stands on: names that no other run has, and removal of everything that carries them, at the end, on a
 * signal, and by the next run when this one was killed.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NETNS = '/run/netns';
/** Where cgroups are, in both versions. */
const CGROUPS = ['/sys/fs/cgroup', '/sys/fs/cgroup/pids'];
/** Of namespaces, of directories, and of the cgroups of engines: weft-<pid> for the first lab of a process, weft-<pid>.<n> for the others. */
const RUN_NAME = /^weft-(\d+)(?:\.\d+)?(?=-|$)/;

const live = new Set<string>();
let labs = 0;

/** Reserves a name that no other living process uses, and removes what dead ones left. */
export function claimRun(): string {
  prepare();
  sweep();
  labs += 1;
  const run = `weft-${process.pid}${labs === 1 ? '' : `.${labs}`}`;
  mkdirSync(directoryOf(run), { recursive: true, mode: 0o700 });
  writeFileSync(ownerFile(run), startTime(process.pid) ?? '');
  live.add(run);
  return run;
}

/** The directory of a run; everything that its routers write is below it. */
export function directoryOf(run: string): string {
  return join(tmpdir(), run);
}

/**
 * More than one round: a process may be in the middle of starting another. One that was killed is there until the kernel has closed its
 * files, TAPs among them; as a zombie it waits for its parent, which may be waiting for us. What an engine's containers run is in namespaces
 * without a name, and found by its cgroup.
 */
const REMOVAL = `
  killed= groups=
  for path in ${NETNS}/"$1"-*; do
    namespace=\${path##*/}
    for round in 1 2 3; do
      pids=$(ip netns pids "$namespace")
      [ "$pids" ] || break
      kill -KILL $pids
      killed="$killed $pids"
    done
    ip netns del "$namespace"
  done
  for group in /sys/fs/cgroup/"$1"-* /sys/fs/cgroup/*/"$1"-*; do
    [ -d "$group" ] || continue
    pids=$(find "$group" -name cgroup.procs -exec cat {} +)
    [ ! "$pids" ] || kill -KILL $pids
    killed="$killed $pids"
    groups="$groups $group"
  done
  for pid in $killed; do
    while grep -qs '^State:.[^ZX]' /proc/$pid/status; do sleep 0.01; done
  done
  [ ! "$groups" ] || find $groups -depth -type d -exec rmdir {} +
  while read -r _ place _; do
    case $place in "$2"/*) umount --lazy "$place" ;; esac
  done </proc/self/mounts
  rm -rf "$2" || rm -rf "$2"`;

/**
 * Ends the processes of a run's namespaces and cgroups, and removes those and the directory. Blocks, so that a signal handler
 * can do it; a process of its own does it, so that it is done even when whoever sent the signal does not wait for us.
 */
export function removeRun(run: string): void {
  spawnSync('setsid', ['sh', '-c', REMOVAL, 'sh', run, directoryOf(run)], {
    stdio: 'ignore',
    timeout: 10_000,
  });
  live.delete(run);
}

/** The namespaces of a run, as they exist now. */
export function namespacesOf(run: string): string[] {
  return list(NETNS).filter((name) => name.startsWith(`${run}-`));
}

/** The processes in a namespace. */
export function processesIn(namespace: string): number[] {
  return ip('netns', 'pids', namespace).split('\n').filter(Boolean).map(Number);
}

function sweep(): void {
  const names = [NETNS, tmpdir(), ...CGROUPS].flatMap(list);
  const runs = new Set(names.flatMap((name) => RUN_NAME.exec(name)?.[0] ?? []));
  for (const run of runs) if (!alive(run)) removeRun(run);
}

function alive(run: string): boolean {
  const pid = Number(RUN_NAME.exec(run)?.[1]);
  const now = startTime(pid);
  const then = quietly(() => readFileSync(ownerFile(run), 'utf8'));
  return now !== undefined && (then === undefined || then === now);
}

const ownerFile = (run: string) => join(directoryOf(run), 'owner');

/** When a process started, in clock ticks since boot; tells a process from a later one with the same pid. */
function startTime(pid: number): string | undefined {
  const stat = quietly(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat?.slice(stat.lastIndexOf(')')).split(' ')[20];
}

/** Where the machine has no /run/docker, hosts of the lab need one to mount their own over. In a user namespace the host's /run/netns is read-only: there the lab has one of its own. */
function prepare(): void {
  quietly(() => mkdirSync('/run/docker', { mode: 0o700 }));
  if (/^\s*0\s+0\s+4294967295/.test(readFileSync('/proc/self/uid_map', 'utf8'))) return;
  if (readFileSync('/proc/self/mounts', 'utf8').includes(`weft-lab ${NETNS} `)) return;
  if (!existsSync(NETNS)) {
    execFileSync('mount', ['-t', 'tmpfs', 'weft-lab-run', '/run']);
    mkdirSync(NETNS);
  }
  execFileSync('mount', ['-t', 'tmpfs', 'weft-lab', NETNS]);
}

const ip = (...args: string[]) =>
  execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

const list = (directory: string): string[] => quietly(() => readdirSync(directory)) ?? [];

/** Undefined when it cannot be done. */
function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  const clean = () => {
    for (const run of [...live]) removeRun(run);
    if (process.listenerCount(signal) > 1) return; // somebody else decides what happens now
    process.removeListener(signal, clean);
    process.kill(process.pid, signal);
  };
  process.on(signal, clean);
}
process.on('exit', () => {
  for (const run of [...live]) removeRun(run);
});

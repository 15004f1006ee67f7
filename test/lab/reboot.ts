import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.js';
import type { Host } from './host.js';

/**
 * In the host's namespace: ends the processes there and those of an engine's containers, of which a process that is starting another
 * needs a second look; removes all interfaces but those on wires, the packet filter, and what is in /run; and nothing is forwarded.
 */
const OUTAGE = `
  namespace=$1 directory=$2 wires=$3
  groups=$(ls -d /sys/fs/cgroup/"$namespace" /sys/fs/cgroup/*/"$namespace" 2>/dev/null) || :
  for round in 1 2 3; do
    pids=$(ip netns pids "$namespace"; [ ! "$groups" ] || find $groups -name cgroup.procs -exec cat {} +)
    [ "$pids" ] || break
    kill -KILL $pids 2>/dev/null || :
    for pid in $pids; do
      while grep -qs '^State:.[^ZX]' /proc/$pid/status; do sleep 0.01; done
    done
  done
  for device in $(ip -n "$namespace" -br link | sed 's/[@ ].*//'); do
    case " lo $wires " in *" $device "*) ;; *) ip -n "$namespace" link delete "$device" 2>/dev/null || : ;; esac
  done
  ip netns exec "$namespace" nft flush ruleset
  ip netns exec "$namespace" sysctl -qw net.ipv4.ip_forward=0
  rm -rf "$directory/run" "$directory/run-docker" "$directory/docker/exec" "$directory/docker/pid"`;

/** The host loses its power and is booted: processes, interfaces, rules and /run are gone, and the boot has another id. Files are still there. */
export async function reboot(host: Host): Promise<void> {
  const wires = host.ports.map(({ device }) => device).join(' ');
  await run(['sh', '-c', OUTAGE, 'sh', host.namespace, host.directory, wires]);
  writeFileSync(join(host.directory, 'boot_id'), `${randomUUID()}\n`);
}

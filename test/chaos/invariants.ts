import { readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual as isEqual } from 'node:util';
import { type Host, until } from '../lab/index.js';
import type { World } from './world.js';

/** Within so long after the last trouble everybody reaches everybody, ms. */
const REACHED = 60_000;
/** What a router may hold, however often its host was in trouble. */
const MOST = { descriptors: 150, daemonMiB: 250, forwarderMiB: 150 };

/** What must be so once no host is in trouble. Rejects with what is not. */
export async function hold(world: World): Promise<void> {
  await everybodyReached(world);
  await noAddressTwice(world);
  await kernelPathsUsed(world);
  for (const host of world.hosts) {
    await nothingLeftBehind(host, world);
    withinLimits(host);
  }
}

/** Each container pings all others, at the same time. Rejects with all that are not reached. */
async function everybodyReached({ residents }: World): Promise<void> {
  const ends = await Promise.allSettled(
    residents.map(async ({ container, address }) => {
      const missing = new Set(residents.map((other) => other.address).filter((other) => other !== address));
      const reached = async () => {
        for (const other of [...missing]) if (await container.ping(other)) missing.delete(other);
        if (missing.size > 0) throw new Error(`not ${[...missing].join(', ')}`);
        return true;
      };
      await until(`${address} on ${container.host.name} reaches all others`, reached, { within: REACHED });
    }),
  );
  const failures = ends.flatMap((end) => (end.status === 'rejected' ? [String(end.reason)] : []));
  if (failures.length > 0) throw new Error(failures.join('; '));
}

/** Where both ends trust the wire, and nowhere else; and who uses none has no device for any. */
async function kernelPathsUsed({ hosts, trusting }: World): Promise<void> {
  for (const host of hosts) {
    const wanted = [...trusting].filter((other) => other !== host && trusting.has(host));
    const used = async () => {
      const found = (await host.report()).connections.filter(({ kernel }) => kernel?.used === true);
      const names = found.map(({ nickname }) => nickname);
      if (
        isEqual(
          names,
          wanted.map(({ name }) => name),
        )
      )
        return true;
      throw new Error(`not with ${names.join(' and ') || 'nobody'}`);
    };
    await until(`${host.name} uses the kernel's paths with whom it may`, used, { within: REACHED });
    const { code } = await host.attempt(['ip', 'link', 'show', 'weft-vx']);
    if (wanted.length === 0 && code === 0) throw new Error(`${host.name} has a VXLAN device for nobody`);
  }
}

async function noAddressTwice({ hosts }: World): Promise<void> {
  const holders = new Map<string, string>();
  for (const host of hosts) {
    for (const { target, addresses } of (await host.report()).attachments) {
      for (const address of addresses) {
        const [here, there] = [`${target} on ${host.name}`, holders.get(address)];
        if (there !== undefined) throw new Error(`${address} is given twice: to ${there} and ${here}`);
        holders.set(address, here);
      }
    }
  }
}

/** The interfaces of containers that are there, and no rule about any other; no address that nobody has. */
async function nothingLeftBehind(host: Host, world: World): Promise<void> {
  const residents = world.of(host).length;
  await until(`only what containers have is left on ${host.name}`, async () => {
    const links = interfacesIn(await host.run(['ip', '-brief', 'link']));
    if (links.size !== residents) throw new Error(`${residents} containers, but ${[...links].join(' ')}`);
    const ruled = interfacesIn(await host.run(['nft', 'list', 'ruleset']));
    const stale = [...ruled].filter((name) => !links.has(name));
    if (stale.length > 0) throw new Error(`rules about ${stale.join(' ')}`);
    const { allocated } = (await host.report()).ipam;
    if (allocated !== residents) throw new Error(`${residents} containers, but ${allocated} addresses`);
    return true;
  });
}

function interfacesIn(text: string): Set<string> {
  return new Set(text.match(/\bw[vl][0-9a-f]{12}\b/g) ?? []);
}

function withinLimits(host: Host): void {
  for (const [name, pid, most] of [
    ['daemon', host.daemon, MOST.daemonMiB],
    ['forwarder', host.forwarder, MOST.forwarderMiB],
  ] as const) {
    const descriptors = readdirSync(`/proc/${pid}/fd`).length;
    if (descriptors > MOST.descriptors)
      throw new Error(`the ${name} of ${host.name} has ${descriptors} descriptors open`);
    const kib = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    if (kib > most * 1024) throw new Error(`the ${name} of ${host.name} has ${Math.round(kib / 1024)} MiB`);
  }
}

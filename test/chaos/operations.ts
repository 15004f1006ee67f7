import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Host, until } from '../lab/index.js';
import type { Chance } from './chance.js';
import type { Resident, World } from './world.js';

/** Ends what an operation did to a host. */
type Undo = () => Promise<unknown>;

/** Something that happens to hosts, routers or containers, such as users report. */
export interface Operation {
  readonly what: string;
  /** Gives how it is undone; undefined where nothing has to be. Nothing else is done to the host until then. */
  readonly act: (host: Host, world: World, chance: Chance) => Promise<Undo | undefined>;
}

const launched =
  (host: Host, world: World): Undo =>
  () =>
    world.launch(host);

/** As a firewall of the host's own does. */
const BLOCKED = `table inet firewall {
  chain input {
    type filter hook input priority filter; policy accept;
    udp dport 6784 drop
  }
}`;

/** How long it takes others, at most, to notice that a router does not answer any more, ms. */
const NOTICED = 60_000;

export const OPERATIONS: readonly Operation[] = [
  {
    what: 'its daemon is killed',
    act: async (host, world) => {
      process.kill(host.daemon, 'SIGKILL');
      return launched(host, world);
    },
  },
  {
    what: 'its forwarder is killed',
    act: async (host) => {
      process.kill(host.forwarder, 'SIGKILL');
      return undefined;
    },
  },
  {
    what: 'both processes are killed',
    act: async (host, world) => {
      await host.crash();
      return launched(host, world);
    },
  },
  {
    what: 'its router is stopped',
    act: (host, world) => stopped(host, world),
  },
  {
    what: 'changes its mind about whether the wire is to be trusted',
    act: async (host, world) => {
      if (!world.public.includes(host)) return undefined;
      if (!world.trusting.delete(host)) world.trusting.add(host);
      return stopped(host, world);
    },
  },
  {
    what: 'loses the device of its kernel path',
    act: async (host) => {
      await host.attempt(['ip', 'link', 'delete', 'weft-vx']);
      return undefined;
    },
  },
  {
    what: 'blocks the port of kernel paths',
    act: async (host) => {
      await host.run(['nft', '--file', '-'], { input: BLOCKED });
      return () => host.run(['nft', 'delete', 'table', 'inet', 'firewall']);
    },
  },
  {
    what: 'has all its packet filter flushed',
    act: async (host) => {
      await host.run(['nft', 'flush', 'ruleset']);
      return undefined;
    },
  },
  {
    what: 'its cable is pulled',
    act: async ({ port }) => {
      await port.unplug();
      return () => port.plug();
    },
  },
  {
    what: 'nothing but TCP gets to it and from it',
    act: async (host) => {
      const { wire } = host.port;
      const losses = [await wire.lose('udp', { from: host }), await wire.lose('udp', { to: host })];
      return async () => {
        for (const loss of losses) await loss.lift();
      };
    },
  },
  {
    what: 'its wire loses a fifth of everything',
    act: async ({ port }) => {
      const loss = await port.wire.lose('everything', { share: 0.2 });
      return () => loss.lift();
    },
  },
  {
    what: 'sees the NAT forget everything',
    act: async (_host, { nat, internet }) => {
      const { device } = internet.portOf(nat);
      await nat.ip(`link set ${device} down`, `link set ${device} up`);
      return undefined;
    },
  },
  {
    what: 'replaces the secret of the network',
    act: async (host, world) => {
      const { code, stderr } = await host.tryWeft('token', 'rotate');
      if (code === 0) world.secrets += 1;
      else if (!stderr.includes('is being replaced already')) throw new Error(stderr);
      return undefined;
    },
  },
  {
    what: 'is reset, and joins again',
    act: async (host, world) => {
      await host.weft('reset', '--force');
      return () => joinAgain(host, world);
    },
  },
  {
    what: 'loses its disk and its containers; another one forgets it',
    act: async (host, world, chance) => {
      const { peer } = (await host.report()).status;
      await host.crash();
      for (const name of readdirSync(host.stateDirectory))
        rmSync(join(host.stateDirectory, name), { recursive: true });
      for (const { container } of world.of(host)) await container.end();
      return async () => {
        const other = chance.pick(world.sound);
        const forgets = async () => (await other.tryWeft('rmpeer', peer)).code === 0;
        await until(`${other.name} forgets ${host.name}`, forgets, { within: NOTICED, every: 500 });
        for (const { container } of world.of(host)) await container.begin();
        await joinAgain(host, world);
      };
    },
  },
  {
    what: 'has a full disk',
    act: async (host, world) => {
      const free = world.fill(host);
      return async () => free();
    },
  },
  {
    what: 'restarts a container',
    act: async (host, world, chance) => {
      await residentOf(host, world, chance)?.container.restart();
      return undefined;
    },
  },
  {
    what: 'gives a container away, which keeps its address',
    act: async (host, world, chance) => {
      const resident = residentOf(host, world, chance);
      const places = world.sound.filter((other) => other !== host);
      if (resident !== undefined && places.length > 0) await world.move(resident, chance.pick(places));
      return undefined;
    },
  },
];

function residentOf(host: Host, world: World, chance: Chance): Resident | undefined {
  const here = world.of(host);
  return here.length === 0 ? undefined : chance.pick(here);
}

/** Its router has left until it is launched again. Nobody waits with a new secret for one that left. */
async function stopped(host: Host, world: World): Promise<Undo> {
  const { secrets } = world;
  await host.weft('stop');
  return async () =>
    world.launch(host, secrets === world.secrets ? {} : { token: await tokenFor(host, world) });
}

/** As a new host, by the token of any other. */
async function joinAgain(host: Host, world: World): Promise<void> {
  await world.launch(host, { token: await tokenFor(host, world) });
  world.forgetful.add(host);
}

async function tokenFor(host: Host, world: World): Promise<string> {
  const others = world.hosts.filter((other) => other !== host);
  return await until('there is a token', () => Promise.any(others.map((other) => other.token())));
}

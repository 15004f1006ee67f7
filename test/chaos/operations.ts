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
  (host: Host): Undo =>
  () =>
    host.launch();

/** How long it takes others, at most, to notice that a router does not answer any more, ms. */
const NOTICED = 60_000;

export const OPERATIONS: readonly Operation[] = [
  {
    what: 'its daemon is killed',
    act: async (host) => {
      process.kill(host.daemon, 'SIGKILL');
      return launched(host);
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
    act: async (host) => {
      await host.crash();
      return launched(host);
    },
  },
  {
    what: 'its router is stopped',
    act: async (host, world) => {
      const { secrets } = world;
      await host.weft('stop');
      // Nobody waits with a new secret for one that left.
      return async () => host.launch(secrets === world.secrets ? {} : { token: await tokenFor(host, world) });
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
      await host.weft('token', 'rotate');
      world.secrets += 1;
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
      const other = chance.pick(world.sound);
      return async () => {
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

/** As a new host, by the token of any other. */
async function joinAgain(host: Host, world: World): Promise<void> {
  await host.launch({ token: await tokenFor(host, world) });
  await world.attachAgain(host);
}

async function tokenFor(host: Host, world: World): Promise<string> {
  const others = world.hosts.filter((other) => other !== host);
  return await until('there is a token', () => Promise.any(others.map((other) => other.token())));
}

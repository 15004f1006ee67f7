/** A mesh of many routers, and what they know of each other. */
import type { Connection, Peer } from '../../../src/api/index.js';
import { ask } from '../../../src/cli/client.js';
import { encodeToken, newNetwork } from '../../../src/identity/index.js';
import { type Host, type Lab, until } from '../../lab/index.js';

/** Hosts without routers, half of them on each of two wires, with a router between; and the token of a new network. */
export async function onTwoWires(lab: Lab, count: number) {
  const [left, right] = [await lab.wire(), await lab.wire()];
  const between = await lab.router('between', left, right);
  const hosts: Host[] = [];
  for (let i = 0; i < count; i += 1) {
    const host = await lab.host(i < count / 2 ? left : right);
    await host.routeThrough(between);
    hosts.push(host);
  }
  return { left, right, between, hosts, token: newToken(), seeds: [hosts[0], hosts[count / 2]] as Host[] };
}

/** The token of a network that nobody is in yet. */
export function newToken(): string {
  const { secrets } = newNetwork();
  return encodeToken({ secret: secrets[0], addresses: [] });
}

/** What a router knows of all. */
export const peersOf = (host: Host) => ask<Peer[]>(host.runDirectory, 'GET', '/peers');

/** Waits until each of these routers knows all others, none of them as down or gone. */
export async function allKnown(hosts: readonly Host[], within: number): Promise<void> {
  await until(
    `${hosts.length} routers know each other`,
    async () => {
      const lists = await Promise.all(hosts.map(peersOf));
      return lists.every(
        (peers) =>
          peers.length === hosts.length && peers.every(({ state }) => state !== 'down' && state !== 'left'),
      );
    },
    { within, every: 50 },
  );
}

/** Waits until each of these routers is linked to all others, and knows no others that are there. */
export async function allLinked(hosts: readonly Host[], within: number): Promise<void> {
  const names = hosts.map(({ name }) => name).sort();
  await until(
    `${hosts.length} routers are linked to each other`,
    async () => {
      for (const host of hosts) {
        const peers = await peersOf(host);
        const linked = peers.filter(({ state }) => state === 'linked' || state === 'self');
        const there = linked.map(({ nickname }) => nickname).sort();
        if (there.join() !== names.join()) throw new Error(`${host.name} is linked to ${there.length - 1}`);
      }
      return true;
    },
    { within, every: 50 },
  );
}

/** Waits until data flows between each two of them. */
export async function allConnected(hosts: readonly Host[], within: number): Promise<void> {
  await until(
    `data flows between ${hosts.length} routers`,
    async () => {
      for (const host of hosts) {
        const connections = await ask<Connection[]>(host.runDirectory, 'GET', '/connections');
        const up = connections.filter(({ udp }) => udp === 'up').length;
        if (up !== hosts.length - 1) throw new Error(`${host.name} reaches ${up}`);
      }
      return true;
    },
    { within, every: 50 },
  );
}

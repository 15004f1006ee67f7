/** Arrangements of hosts that several suites use. */
import type { Container, Host, Lab, Router } from '../../lab/index.js';

/** Launches routers one after the other, each with the token of the one before. */
export async function launchChain(hosts: readonly Host[]): Promise<void> {
  let token: string | undefined;
  for (const host of hosts) {
    await host.launch(token === undefined ? {} : { token });
    token = await host.token();
  }
}

/** A container on each host: `10.32.0.1/24` on the first, and so on. */
export async function containersOn(hosts: readonly Host[]): Promise<Container[]> {
  return await Promise.all(
    hosts.map((host, i) => host.container(`c${i + 1}`, `10.32.0.${i + 1}/24`, `fd32::${i + 1}/64`)),
  );
}

/** Hosts in a row, each on a wire with the next; with `closed`, the last with the first, too. */
export async function row(lab: Lab, count: number, { closed = false } = {}) {
  const wires = [];
  for (let i = 0; i < (closed ? count : count - 1); i += 1) wires.push(await lab.wire());
  const hosts: Host[] = [];
  for (let i = 0; i < count; i += 1) {
    const around = [wires[(i + wires.length - 1) % wires.length], wires[i % wires.length]];
    const own = closed ? around : [wires[i - 1], wires[i]];
    hosts.push(await lab.host(...own.filter((wire) => wire !== undefined)));
  }
  return { wires, hosts };
}

/** What a router tells about its way to another. */
export async function connection(from: Host, to: Host) {
  const { connections } = await from.report();
  const found = connections.find(({ nickname }) => nickname === to.name);
  if (found === undefined) throw new Error(`${from.name} does not know ${to.name}`);
  return found;
}

/** A public host, and two hosts behind NATs of their own, of which the first has joined: the second is to join by its token, though it cannot reach it. */
export async function behindNats(lab: Lab, preservePorts: boolean) {
  const internet = await lab.wire();
  const open = await lab.host(internet);
  const hosts: Host[] = [];
  const nats: Router[] = [];
  for (const name of ['left', 'right']) {
    const inside = await lab.wire();
    const nat = await lab.router(name, inside, internet);
    await nat.masquerade(internet, { preservePorts });
    const host = await lab.host(inside);
    await host.routeThrough(nat);
    hosts.push(host);
    nats.push(nat);
  }
  const [a, b] = hosts;
  const [natOfA] = nats;
  if (!a || !b || !natOfA) throw new Error('there are two');
  await open.launch();
  await a.launch({ token: await open.token() });
  await a.isConnectedTo(open);
  return { internet, natOfA, open, a, b, token: await a.token() };
}

/**
 * Two hosts joined by a wire, a container on each, in the namespaces of a lab.
 *
 *     container a ── (a bridge, made by the contender) ── host a ══ wire, MTU 1500 ══ host b ── … ── container b
 *
 * The wire is one veth pair, not the lab's switched segment: nothing between the hosts but what is measured.
 */
import { type Container, type Host, Lab } from '../test/lab/index.js';

/** Largest IP packet on the wire between the hosts. */
export const WIRE_MTU = 1500;

/** One of the two hosts with its container. */
export interface Side {
  readonly host: Host;
  /** Without interfaces, until the contender gives it one. */
  readonly container: Container;
  /** The host's address on the wire. */
  readonly wireAddress: string;
  /** The address across the tunnel: of the container, or of the host where the contender is L3. */
  readonly overlayAddress: string;
}

export interface Topology {
  readonly a: Side;
  readonly b: Side;
  /** Ends and removes everything; a signal does the same. */
  remove(): void;
}

export async function createTopology(): Promise<Topology> {
  const lab = await Lab.create();
  try {
    const a = await createSide(lab, 1);
    const b = await createSide(lab, 2);
    await a.host.ip(
      `link add wire mtu ${WIRE_MTU} type veth peer name wire mtu ${WIRE_MTU} netns ${b.host.namespace}`,
    );
    for (const { host, wireAddress } of [a, b]) {
      await host.ip(`address add ${wireAddress}/24 dev wire`, 'link set wire up');
    }
    return { a, b, remove: () => lab.remove() };
  } catch (error) {
    lab.remove();
    throw error;
  }
}

async function createSide(lab: Lab, number: number): Promise<Side> {
  const host = await lab.host();
  const container = await host.container(`container${number}`);
  return { host, container, wireAddress: `192.0.2.${number}`, overlayAddress: `10.32.0.${number}` };
}

/** Bridges `port` with a veth to the side's container, which gets its overlay address: as weft attaches one. */
export async function bridgeContainer(side: Side, port: string, mtu: number): Promise<void> {
  const { host, container, overlayAddress } = side;
  await host.ip(
    'link add bridge type bridge',
    `link add veth mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${container.namespace}`,
    `link set veth master bridge up`,
    `link set ${port} mtu ${mtu} master bridge up`,
    'link set bridge up',
  );
  await container.ip(`address add ${overlayAddress}/24 dev eth0`, 'link set eth0 up');
}

/** Whether the host has a network interface of that name: how one sees that a tunnel's daemon has made it. */
export async function hasDevice(host: Host, device: string): Promise<boolean> {
  return (await host.attempt(['ip', 'link', 'show', device])).code === 0;
}

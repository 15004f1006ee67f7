/** What the router tells about itself, from what its parts tell. */
import type { Connection, Datapath, Peer } from '../api/index.js';
import type { Forwarder } from '../forwarder/index.js';
import type { MemberView } from '../mesh/index.js';
import type { ConnectionView } from '../overlay/index.js';
import type { KernelPaths } from './kernel-paths/index.js';

export function peerView(member: MemberView): Peer {
  const { peer, nickname, version, self, endpoints, ciphers } = member;
  return {
    peer,
    nickname,
    version,
    self,
    state: peerState(member),
    endpoints: [...endpoints],
    ciphers: ciphers.map(({ name }) => name),
  };
}

function peerState({ self, linked, left, down }: MemberView): Peer['state'] {
  if (self) return 'self';
  if (linked) return 'linked';
  if (left) return 'left';
  return down ? 'down' : 'known';
}

export function connectionView(
  view: ConnectionView,
  kernelPaths: Pick<KernelPaths, 'view'> | undefined,
): Connection {
  return { ...view, kernel: kernelPaths?.view(view.peer) ?? null };
}

/** Asks the forwarder for all that it knows about itself; with it goes what the bridges `refused`. */
export async function datapathView(
  forwarder: Forwarder,
  refused: Readonly<Record<string, number>>,
): Promise<Datapath> {
  const [hello, { networks }, { macs }, { counters, workers }] = await Promise.all([
    forwarder.hello(),
    forwarder.dump(),
    forwarder.macs(),
    forwarder.stats(),
  ]);
  const { version, pid, port, sourcePorts, sandboxed, stormLimit, ciphers, offloads } = hello;
  return {
    forwarder: { version, pid, port, sourcePorts, workers: hello.workers, sandboxed, stormLimit },
    ciphers,
    offloads,
    networks,
    macs,
    counters: { ...counters, ...refused },
    workers,
  };
}

import { release } from 'node:os';
import { type Contender, kernelConnection } from '../contender.js';
import { bridgeContainer, type Side } from '../topology.js';

const MTU = 1450;

async function connect(side: Side, remote: Side): Promise<void> {
  const ends = `local ${side.wireAddress} remote ${remote.wireAddress}`;
  await side.host.ip(`link add vxlan0 type vxlan id 42 dstport 4789 ${ends} dev wire`);
  await bridgeContainer(side, 'vxlan0', MTU);
}

/** The kernel's own Ethernet overlay, unencrypted: the reference of the ratios. */
export const vxlan: Contender = {
  name: 'vxlan',
  kind: 'kernel',
  encrypted: false,
  setup: `kernel VXLAN on a bridge, container to container, MTU ${MTU}`,
  unavailable: async () => undefined,
  version: async () => `Linux ${release()}`,
  start: async (topology) => {
    await connect(topology.a, topology.b);
    await connect(topology.b, topology.a);
    return kernelConnection(topology, 'container');
  },
};

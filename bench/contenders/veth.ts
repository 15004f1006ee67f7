import { type Contender, kernelConnection } from '../contender.js';
import { WIRE_MTU } from '../topology.js';

/** The wire itself, host to host: the ceiling of everything else. */
export const veth: Contender = {
  name: 'veth',
  encrypted: false,
  packaged: false,
  setup: `host to host over the wire, no tunnel, MTU ${WIRE_MTU}`,
  unavailable: async () => undefined,
  start: async (topology) => kernelConnection(topology, 'host'),
};

import { release } from 'node:os';
import { type Contender, kernelConnection } from '../contender.js';
import { WIRE_MTU } from '../topology.js';

/** The wire itself, host to host: the ceiling of everything else. */
export const veth: Contender = {
  name: 'veth',
  kind: 'kernel',
  encrypted: false,
  setup: `host to host over the wire, no tunnel, MTU ${WIRE_MTU}`,
  unavailable: async () => undefined,
  version: async () => `Linux ${release()}`,
  start: async (topology) => kernelConnection(topology, 'host'),
};

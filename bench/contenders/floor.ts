import { availableParallelism } from 'node:os';
import { type Running, until } from '../../test/lab/index.js';
import { BUILT, type Contender, daemonConnection, needs } from '../contender.js';
import { bridgeContainer, hasDevice, type Side } from '../topology.js';
import { weftVersion } from './weft.js';

const PROGRAM = `${BUILT}/native/bench/tunnel-floor`;
/** As weft has it over this wire. */
const MTU = 1418;
const PORT = 6783;
const DEVICE = 'floor0';
/** As many as the forwarder has workers. */
const QUEUES = Math.min(availableParallelism(), 4);

async function startSide(side: Side, remote: Side, options: readonly string[]): Promise<Running> {
  const { host } = side;
  const running = host.start([PROGRAM, DEVICE, `${remote.wireAddress}:${PORT}`, `${QUEUES}`, ...options]);
  await until(`the floor on ${host.name}`, () => hasDevice(host, DEVICE));
  await bridgeContainer(side, DEVICE, MTU);
  return running;
}

/** native/bench/floor.cc: what is left of a tunnel in user space when it does nothing but carry and encrypt. */
export function floor(cipher: 'aes-256-gcm' | 'plain'): Contender {
  const options = cipher === 'plain' ? ['--plain'] : [];
  return {
    name: `floor ${cipher}`,
    kind: 'floor',
    encrypted: cipher !== 'plain',
    setup: `TAP to UDP in pieces of 1,400 bytes and nothing else, on a bridge, container to container, MTU ${MTU}`,
    unavailable: needs(PROGRAM),
    version: weftVersion,
    start: async (topology) => {
      const { a, b } = topology;
      return daemonConnection(
        topology,
        'container',
        await startSide(a, b, options),
        await startSide(b, a, options),
      );
    },
  };
}

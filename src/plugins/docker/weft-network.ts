import { DEFAULT_NETWORK } from '../../networks/index.js';
import type { PlatformRange } from '../platform/index.js';
import { DRIVER, NETWORK } from './driver/index.js';
import type { DockerEngine } from './engine.js';

/** What users give to `docker run --network`. */
export const WEFT = 'weft';

/**
 * Makes the Docker network `weft`, which is the default network of weft, unless there is one of that name. Gives what is wrong with that one; null:
 * it can be used. It is without IPv6, as Docker's own networks are by default: for that Docker starts itself twice more for each container.
 */
export async function ensureWeftNetwork(engine: DockerEngine, ranges: PlatformRange): Promise<string | null> {
  const found = await engine.network(WEFT);
  if (found === undefined || found.name !== WEFT) {
    await engine.createNetwork({
      name: WEFT,
      driver: DRIVER,
      ipamDriver: DRIVER,
      subnets: [{ subnet: ranges.subnet, aux: {} }],
      options: { [NETWORK]: DEFAULT_NETWORK },
      ipv6: false,
    });
    return null;
  }
  if (found.driver === DRIVER) return null;
  return `Docker has a network "${WEFT}" of the driver ${found.driver}: remove it with \`docker network rm ${WEFT}\`, or make one of another name with \`docker network create -d ${DRIVER} --ipam-driver ${DRIVER} …\``;
}

/** Removes it, if it is of this driver. */
export async function removeWeftNetwork(engine: DockerEngine): Promise<void> {
  const found = await engine.network(WEFT);
  if (found?.name === WEFT && found.driver === DRIVER) await engine.removeNetwork(found.id);
}

import { eachContainer } from '../../engine/index.js';
import { carriedLabels, ownLabels } from '../labels/index.js';
import type { PlatformEndpoints } from '../platform/index.js';
import type { DockerContainer, DockerEngine } from './engine.js';

const SERVICE = 'com.docker.compose.service';
const SWARM_SERVICE = 'com.docker.swarm.service.name';
const PROJECT = 'com.docker.compose.project';

/** Tells whose endpoint each is: Docker's plugin calls say nothing of containers. */
export class Names {
  readonly #endpoints: Pick<PlatformEndpoints, 'bind' | 'list'>;

  constructor(endpoints: Pick<PlatformEndpoints, 'bind' | 'list'>) {
    this.#endpoints = endpoints;
  }

  /** Those whose container is not known yet: it may not have had its interface when it was heard of. */
  async bindUnknown(engine: DockerEngine): Promise<void> {
    if (this.#endpoints.list().some(({ container }) => container === null)) await this.bindAll(engine);
  }

  /** All containers that run; some may have started, or been renamed, while nobody heard of it. */
  async bindAll(engine: DockerEngine): Promise<void> {
    if (this.#endpoints.list().length === 0) return;
    await eachContainer(engine, await engine.running(), (container) => this.bind(engine, container));
  }

  async bind(engine: DockerEngine, container: DockerContainer): Promise<void> {
    const { id, name, hostname, pid } = container;
    const known = new Set(this.#endpoints.list().map((endpoint) => endpoint.id));
    const ours = container.networks.filter(({ endpointId }) => known.has(endpointId));
    if (ours.length === 0 || pid === undefined) return;
    const services = await serviceNames(engine, container);
    const labels = await carriedLabels(engine, container);
    for (const { endpointId, aliases } of ours) {
      const others = [...new Set([...aliases, ...services])].filter((alias) => alias !== name);
      await this.#endpoints.bind(endpointId, {
        ...{ id, engine: engine.socket, pid, name, hostname },
        ...{ aliases: others, labels },
      });
    }
  }
}

/** As compose or a swarm calls it: of one service there may be many containers, and services of that name in other projects. */
async function serviceNames(engine: DockerEngine, { image, labels }: DockerContainer): Promise<string[]> {
  if (labels[SERVICE] === undefined && labels[SWARM_SERVICE] === undefined) return [];
  const own = ownLabels(labels, await engine.imageLabels(image));
  const [service, project] = [own[SERVICE] ?? own[SWARM_SERVICE], own[PROJECT]];
  if (service === undefined) return [];
  return project === undefined ? [service] : [service, `${service}.${project}`];
}

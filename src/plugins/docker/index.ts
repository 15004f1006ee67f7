/** Docker's network plugin: networks, addresses and containers' ends, as `docker run --network` asks for them. */
export type { BookFile } from './book.js';
export { DockerPlugin, type DockerPluginOptions, PLUGIN_SOCKET } from './docker-plugin.js';
export type {
  DockerContainer,
  DockerEngine,
  DockerEngines,
  DockerNetwork,
  NewDockerNetwork,
} from './engine.js';

/** Container engines (Docker, Podman): asked over their unix sockets what a container or a network is, and told of what happens to containers. */
export type { EngineContainer, EngineMembership, EngineNetwork, EngineSubnet } from './answers.js';
export { eachContainer } from './each-container.js';
export { Engine, engineSockets, type NetworkRequest } from './engine.js';
export type { EngineEvent } from './events.js';

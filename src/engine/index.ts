/** Container engines (Docker, Podman): asked over their unix sockets what a container is, and told when one starts, ends or is renamed. */
export { Engine, type EngineContainer, type EngineEvent, engineSockets } from './engine.js';

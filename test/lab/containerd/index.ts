export { Containerd, Pod, type PodOptions } from './containerd.js';
export type { ContainerConfig, PodSandboxConfig } from './runtime-service.js';

/** The network plugin of container runtimes: containerd, Podman, Nomad, Kubernetes. docs/cni.md. */
export { type CniFile, CniPlugin, type CniPluginOptions } from './cni-plugin.js';
export { PROGRAM as CNI_PROGRAM, removeFiles as removeCniFiles } from './installation.js';
export { Interfaces, type Made, type Wish } from './interfaces.js';
export type { NamedPod } from './wishes.js';

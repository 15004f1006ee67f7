export { Containerd, Pod, type PodOptions } from './containerd.js';

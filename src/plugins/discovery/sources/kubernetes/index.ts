/** The nodes of a Kubernetes cluster, or what stands behind a service of it. */
export { kubernetesSource } from './source.js';

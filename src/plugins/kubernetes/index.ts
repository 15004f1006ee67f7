/** The API server of Kubernetes: its nodes, its network policies, and the pods and namespaces that these mean. */
export type { KubernetesHost } from './host.js';
export {
  KubernetesPlugin,
  type KubernetesPluginEvents,
  type KubernetesPluginOptions,
} from './kubernetes-plugin.js';
export type { ClusterMemory } from './memory.js';
export type { ClusterPolicy } from './network-policies.js';
export type { ClusterPod } from './pods.js';

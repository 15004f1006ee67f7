/** The router as part of a Kubernetes cluster, where it is one. */
export { hostFor, joinCluster, NO_CLUSTER } from './join-cluster.js';

import { WeftError } from '../errors.js';
import { type Access, podAccess } from './access.js';
import { kubeconfigAccess } from './kubeconfig.js';

/** The cluster that the environment names: that of a kubeconfig file, else the one whose pod this is. Throws `no-cluster` or `bad-kubeconfig`. */
export function findAccess(env: NodeJS.ProcessEnv): Access {
  const { KUBECONFIG: path = '' } = env;
  const access = path === '' ? podAccess(env) : kubeconfigAccess(path);
  if (access !== undefined) return access;
  throw new WeftError(
    'no-cluster',
    'there is no cluster of Kubernetes: neither KUBECONFIG nor KUBERNETES_SERVICE_HOST is set: run the router in a pod, or name a kubeconfig file',
  );
}

import { WeftError } from '../errors.js';
import { type Access, podAccess } from './access.js';

/** The cluster that the environment names: that of a kubeconfig file, else the one whose pod this is. Rejects with `no-cluster` or `bad-kubeconfig`. */
export async function findAccess(env: NodeJS.ProcessEnv): Promise<Access> {
  const { KUBECONFIG: path = '' } = env;
  if (path !== '') {
    const { kubeconfigAccess } = await import('./kubeconfig.js'); // with a parser of YAML that no pod needs
    return kubeconfigAccess(path);
  }
  const access = podAccess(env);
  if (access !== undefined) return access;
  throw new WeftError(
    'no-cluster',
    'there is no cluster of Kubernetes: neither KUBECONFIG nor KUBERNETES_SERVICE_HOST is set: run the router in a pod, name a kubeconfig file, or do without (--no-kubernetes)',
  );
}

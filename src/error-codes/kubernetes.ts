import { type ErrorMeaning, retried, usage } from './meaning.js';

/** Errors of the API server of Kubernetes. */
export const KUBERNETES_ERRORS = {
  'no-cluster': usage(
    'There is no cluster of Kubernetes to speak to.',
    'Run the router in a pod with a service account, or name a kubeconfig file in KUBECONFIG.',
  ),
  'bad-kubeconfig': usage(
    'A kubeconfig file cannot be read, or asks for what weft does not do.',
    'Correct what the message names.',
  ),
  'kubernetes-failed': retried('The API server of Kubernetes does not answer as it should.'),
} as const satisfies Record<string, ErrorMeaning>;

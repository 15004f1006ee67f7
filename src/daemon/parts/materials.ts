import type { KubernetesPlugin } from '../../plugins/kubernetes/index.js';
import type { Plan } from '../launch/index.js';
import { errorFields, type Log } from '../logging/index.js';
import type { LaunchRequest } from '../state/index.js';

/** What parts are made from. */
export interface Materials {
  readonly request: LaunchRequest;
  readonly plan: Plan;
  /** Of the overlay: what containers get. */
  readonly mtu: number;
  readonly log: Log;
  /** Where the router is on a node of a cluster. */
  readonly kubernetes: KubernetesPlugin | undefined;
}

/** What logs an error of which nobody else hears, after what it is about. */
export function failure(log: Log, what: string): (error: unknown) => void {
  return (error) => log.error(`${what}: ${String(error)}`, errorFields(error));
}

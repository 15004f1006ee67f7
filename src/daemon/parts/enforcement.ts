import { PolicyFilter, RESOLVER_MAC } from '../../hostnet/index.js';
import { AllPolicies, Enforcement, NO_SCHEDULER, Pods } from '../policies/index.js';
import type { Addressing } from './addresses.js';
import type { DataPlane } from './data-plane.js';
import type { Materials } from './materials.js';

export type Enforcing = ReturnType<typeof composeEnforcement>;

/** What containers are let do, and who holds them to it. */
export function composeEnforcement(
  { plan, log, kubernetes }: Materials,
  { publishedPolicies }: DataPlane,
  { endpoints }: Addressing,
) {
  const scheduler = kubernetes?.cluster ?? NO_SCHEDULER;
  const pods = new Pods(endpoints, scheduler);
  const allPolicies = new AllPolicies(publishedPolicies.book, scheduler);
  const enforcement = new Enforcement({
    filter: new PolicyFilter(plan.settings.bridge, RESOLVER_MAC),
    policies: allPolicies,
    pods,
    log,
  });
  publishedPolicies.on('changed', () => enforcement.changed());
  kubernetes?.on('rules', () => enforcement.changed());
  endpoints.on('changed', () => enforcement.changed());
  return { pods, allPolicies, enforcement };
}

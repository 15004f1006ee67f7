/** Network policies on this router: what all routers have, what is enforced here, and what users ask. */
export { AllPolicies } from './all-policies.js';
export { Enforcement } from './enforcement.js';
export { Pods } from './pods.js';
export { Policies } from './policies.js';
export { PublishedPolicies } from './published-policies.js';
export { NO_SCHEDULER, type Scheduler } from './scheduler.js';

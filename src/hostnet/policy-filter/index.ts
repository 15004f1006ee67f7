/** Enforces network policies on the ports of the bridges. */
export { DENIAL_REASONS, type Denial, type Denied } from './denials.js';
export { PolicyFilter, removePolicyFilter } from './policy-filter.js';

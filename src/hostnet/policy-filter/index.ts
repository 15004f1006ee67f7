/** Enforces network policies on the ports of the bridges. */
export { type Denied, PolicyFilter, removePolicyFilter } from './policy-filter.js';

/** Who may speak to whom: NetworkPolicy objects, what follows from them for the interfaces of a host, and which rule decides. */
export { type End, type Explanation, explain, isolating, type Question, type Side } from './explain.js';
export {
  addressOf,
  cleanPolicy,
  DEFAULT_NAMESPACE,
  type Direction,
  type Interval,
  type NetworkPolicy,
  type PolicyObject,
  PROTOCOLS,
  type Protocol,
  parsePolicy,
  policyKey,
  selectorText,
  selects,
} from './objects/index.js';
export {
  checkPolicyRecord,
  keyOf,
  MAX_POLICY_BYTES,
  PolicyBook,
  type PolicyRecord,
  policyRecord,
} from './records/index.js';
export {
  type Allowance,
  type Chain,
  compile,
  type Isolation,
  type Matcher,
  NAMESPACE_NAME_LABEL,
  type NamedPort,
  type Pod,
  type PortMatch,
  type RuleSet,
  type Snapshot,
  type Socket,
} from './rules/index.js';

/** NetworkPolicy objects as people write them, and as they are understood. */
export {
  addressInterval,
  addressOf,
  contains,
  type Family,
  type Interval,
  merged,
} from './interval.js';
export { cleanPolicy, DEFAULT_NAMESPACE, parsePolicy } from './parse.js';
export {
  type BlockPeer,
  DIRECTIONS,
  type Direction,
  type NetworkPolicy,
  type Peer,
  type PodPeer,
  type Port,
  type PortRange,
  PROTOCOLS,
  type Protocol,
  policyKey,
  type Rule,
} from './policy.js';
export type { PolicyObject } from './schema.js';
export { type Requirement, type Selector, selectorText, selects } from './selector.js';

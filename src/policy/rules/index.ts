/** From policies and pods to what each interface lets pass. */
export { compile } from './compile.js';
export { NAMESPACE_NAME_LABEL, type NamedPort, namespaceLabels, type Pod, type Snapshot } from './model.js';
export type {
  Allowance,
  Chain,
  Isolation,
  Matcher,
  PeerAllowance,
  PortMatch,
  RuleSet,
  Socket,
  SocketAllowance,
} from './rule-set.js';

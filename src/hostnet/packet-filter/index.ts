/** The host's firewall (nftables): the rules that are ours, and what those of others drop. */
export { chainsThatDrop, droppingChains, filteredFamilies } from './dropping.js';
export {
  type ExposedSubnet,
  Firewall,
  forwardingFlaws,
  forwardPackets,
  type HairpinPort,
  type Passage,
} from './firewall.js';
export { type Holding, PortGuard, type Refusal, type Reserved } from './port-guard.js';

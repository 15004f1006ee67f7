/** The host's firewall (nftables): the rules that are ours, and what those of others drop. */
export { chainsThatDrop, droppingChains, filteredFamilies } from './dropping.js';
export { Firewall } from './firewall.js';
export { forwardingFlaws, forwardPackets } from './forwarding.js';
export { nft, unlessRefused } from './nft.js';
export type { ExposedSubnet, HairpinPort, Passage } from './passage.js';
export { PortGuard, removePortGuard } from './port-guard.js';
export type { Refusal } from './port-refusals.js';
export type { Holding, Reserved } from './port-rules.js';

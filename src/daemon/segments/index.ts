export { PublishedNetworks } from './network-records.js';
export { Networks, type NetworksEvents } from './networks.js';
export { mtuFor } from './segment.js';

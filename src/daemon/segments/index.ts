export { PublishedNetworks } from './network-records.js';
export { Networks } from './networks.js';
export { mtuFor } from './segment.js';

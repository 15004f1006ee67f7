/** The networks that containers of this host may be on: bridges, TAPs, and what all routers say about them. */
export { PublishedNetworks } from './network-records.js';
export { Networks, type NetworksEvents } from './networks.js';
export { mtuFor } from './segment.js';

/** The networks that containers of this host may be on: bridges, TAPs, their MTU, and what all routers say about them. */
export { mtuFor } from './mtu.js';
export { PublishedNetworks } from './network-records.js';
export { Networks, type NetworksEvents } from './networks.js';

/** Docker's addresses: pools that describe themselves, and addresses of the platform. */
export { Creations } from './creations.js';
export { inTheWay } from './host-routes.js';
export { Ipam, type IpamDriver, type IpamOptions } from './ipam.js';
export { GLOBAL_SPACE, isOwn, LOCAL_SPACE, overlap, parseSubnet } from './pools.js';
export { SwarmIpam } from './swarm-ipam.js';

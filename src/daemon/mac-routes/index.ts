/** Which MAC and addresses are at which router: announced to others, told to the forwarder, and kept from whoever else claims them. */
export { Custody } from './custody.js';
export { Endpoints } from './endpoints.js';
export { MacWatch } from './mac-watch.js';
export { Refusals } from './refusals.js';
export { reservedBy, reservedHolder } from './reserved.js';

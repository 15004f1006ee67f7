export { Custody } from './custody.js';
export { Endpoints } from './endpoints.js';
export { MacWatch } from './mac-watch.js';
export { Refusals } from './refusals.js';

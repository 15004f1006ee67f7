/** The host itself on the networks, and the ways in and out of them. */
export { Exposures } from './exposures.js';
export { Hairpins } from './hairpins.js';
export { InsideSubnets } from './inside.js';

export { Exposures } from './exposures.js';
export { Hairpins } from './hairpins.js';

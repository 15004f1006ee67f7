/** What can be seen of this router from outside, and where. */
export { daemonFacts } from './daemon-facts.js';
export { StatusPlace, type StatusPlaceOptions } from './status-place.js';

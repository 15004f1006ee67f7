/** The names of containers, as the name servers on the bridges answer them. */
export { Dns } from './dns.js';
export { parseListenAddress } from './dns-listeners.js';

/** Publishes the names of this host's containers, gathers those of all, and has `src/dns` answer on the bridges. */
export { Dns } from './dns.js';
export { parseListenAddress } from './dns-listeners.js';

export { Dns } from './dns.js';
export { parseListenAddress } from './dns-listeners.js';

/** All links of this router: how a TCP connection becomes one of them, which are kept, and which of two to the same peer. */
export { removal } from './link-policy.js';
export { Links } from './links.js';

/** The routers on the same LAN, by multicast DNS. docs/protocol.md, "Multicast DNS". */
export { placesOf } from './places.js';
export { mdnsSource } from './source.js';

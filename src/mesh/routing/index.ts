/** Which neighbours a router keeps links to, and which way a message goes to a member without a link. docs/protocol.md, 3.6 and 3.10. */
export { MessageRouter } from './message-router.js';
export { NeighbourSelection } from './neighbour-selection.js';
export { Routes } from './routes.js';

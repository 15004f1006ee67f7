/** Which neighbours a router keeps links to, and which way a message goes to a member without a link. */
export { OverlayView } from './neighbour-selection.js';
export { Routes } from './routes.js';

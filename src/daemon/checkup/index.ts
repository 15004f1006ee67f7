/** Whether the mesh works, peer by peer: `weft check`, from both ends. */
export { Checkup, type CheckupOptions } from './checkup.js';

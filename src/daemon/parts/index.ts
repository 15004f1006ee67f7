/** The parts of one router, and what they are made from. */
export { compose, type Parts } from './compose.js';
export type { Materials } from './materials.js';

/** Frames between hosts that trust the wire stay in the kernel: which, when, and why not. */
export { followKernelPaths } from './follow.js';
export type { KernelPaths } from './kernel-paths.js';
export { Retirement } from './retirement.js';

/** Frames between hosts that trust the wire stay in the kernel: which, when, and why not. */
export { followKernelPaths, removeKernelPaths, silenceKernelPaths } from './follow.js';
export type { KernelPaths, KernelPathView } from './kernel-paths.js';

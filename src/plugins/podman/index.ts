/** Podman's network driver, as netavark asks it. docs/cni.md. */
export { Netavark } from './netavark.js';

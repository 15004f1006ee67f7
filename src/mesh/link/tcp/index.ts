/** TCP connections beneath the links: dialled with backoff, accepted with limits, and obfuscated. docs/protocol.md, 3.1. */
export { Acceptor } from './acceptor.js';
export type { AdmissionLimits } from './admission.js';
export { Admission } from './admission.js';
export { connectTcp } from './connect.js';
export { Dialer } from './dialer.js';
export { ObfuscatedStream } from './obfuscated-stream.js';
export { ownAddresses } from './own-addresses.js';
export type { DialTimings, TargetState, TargetView } from './types.js';

/** Secure control links between routers, and who is a member of the network. docs/protocol.md, section 3. */
export type { LinkView, TargetState, TargetView } from './link/index.js';
export { type CipherSpeed, type Contact, cipherSpeed, type MemberView } from './membership/index.js';
export { Mesh } from './mesh.js';
export type { MeshEvents, MeshLimits, MeshOptions, MeshTimings } from './types.js';

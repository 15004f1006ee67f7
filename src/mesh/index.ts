/** Secure control links between routers, and who is a member of the network. docs/protocol.md, section 3. */
export { Mesh } from './mesh.js';
export type {
  CipherSpeed,
  Contact,
  LinkView,
  MemberView,
  MeshEvents,
  MeshLimits,
  MeshOptions,
  MeshTimings,
  TargetState,
  TargetView,
} from './types.js';

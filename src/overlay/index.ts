/** Data sessions: key agreement end to end, endpoints, and what the data plane is told. docs/protocol.md, section 4. */
export type {
  CipherInfo,
  DataPlane,
  DataPlaneDump,
  DataPlaneEvents,
  DataPlaneInfo,
  DataPlaneKeyState,
  DataPlanePeerState,
  KeySetting,
  PeerSetting,
} from './data-plane.js';
export { Overlay } from './overlay.js';
export type { ConnectionView, OverlayEvents, OverlayMesh, OverlayOptions, OverlayTimings } from './types.js';

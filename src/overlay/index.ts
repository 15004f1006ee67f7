/** Data sessions: key agreement end to end, endpoints, and what the data plane is told. docs/protocol.md, section 4. */
export type {
  CipherInfo,
  DataPlane,
  DataPlaneCandidate,
  DataPlaneDump,
  DataPlaneEvents,
  DataPlaneInfo,
  DataPlaneKeyState,
  DataPlanePeerState,
  KeySetting,
  PeerSetting,
  Transport,
} from './data-plane.js';
export { type LostWays, lostWayRemedy, lostWays, lostWayText } from './lost-ways.js';
export { Overlay } from './overlay.js';
export type { RelayOption } from './routes.js';
export type { Hop } from './tracer.js';
export type {
  ConnectionView,
  OverlayEvents,
  OverlayMesh,
  OverlayOptions,
  OverlayTimings,
  PathKind,
  PathView,
  Way,
} from './types.js';

/** Data sessions: key agreement end to end, endpoints, and what the data plane is told. docs/protocol.md, section 4. */

export { Overlay } from './overlay.js';
export type { Hop, LostWays, RelayOption, Way } from './path/index.js';
export { lostWayRemedy, lostWays, lostWayText } from './path/index.js';
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
  OverlayMesh,
  PeerSetting,
  Transport,
} from './port/index.js';
export type {
  ConnectionView,
  OverlayEvents,
  OverlayOptions,
  OverlayTimings,
  PathKind,
  PathView,
} from './types.js';

/** How packets reach a peer: keys agreed end to end, paths and relays, and what the data plane is told. docs/protocol.md, sections 4 and 7. */

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

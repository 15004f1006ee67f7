/** What the overlay needs of others: the data plane that it drives, and the mesh that carries its messages. */
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
export type { OverlayMesh } from './mesh.js';

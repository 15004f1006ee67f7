/** The page of a router, and the mesh as it is told to it: once, and then what changes. */
export { type MeshRoutesOptions, meshRoutes } from './routes.js';
export type { MeshSource } from './source.js';
export type {
  Found,
  Happened,
  HostDetails,
  HostView,
  InterfaceView,
  LinkView,
  MeshChange,
  MeshView,
  PartChange,
  Traffic,
} from './view.js';

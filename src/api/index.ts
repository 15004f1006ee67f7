/** The router's API: HTTP and JSON on a unix socket, described by GET /openapi.json. */
export type { RouterControl } from './control.js';
export type {
  Attachment,
  AttachRequest,
  Connection,
  ConnectRequest,
  Datapath,
  DetachRequest,
  Peer,
  Report,
  Status,
  Stopped,
  Target,
  Token,
  TokenRequest,
  Version,
} from './schemas.js';
export { type ApiOptions, type ApiServer, serveApi } from './server.js';

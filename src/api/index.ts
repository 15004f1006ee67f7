/** The router's API: HTTP and JSON on a unix socket, described by GET /openapi.json. */
export { type App, createApp } from './app.js';
export type { RouterControl } from './control.js';
export type { CheckCell, CheckControl, PeerCheck } from './routes/check.js';
export type { CniAnswer, CniCall, CniControl, CniFailure, CniInstallation, CniStatus } from './routes/cni.js';
export type { DockerControl, DockerNetworkStatus, DockerStatus, DockerSwitch } from './routes/docker.js';
export type { ExposeRequest, Exposure, ExposureControl, HideRequest } from './routes/exposures.js';
export type { AddressControl, AddressOwner, Ipam, PrimeRequest } from './routes/ipam.js';
export type { KubernetesControl, KubernetesStatus } from './routes/kubernetes.js';
export type {
  DnsReport,
  DnsStatus,
  DnsWaiting,
  Name,
  NameControl,
  NameFound,
  NameRequest,
} from './routes/names.js';
export type { NetavarkCall, NetavarkControl } from './routes/netavark.js';
export type {
  NetworkControl,
  NetworkCreateRequest,
  NetworkInfo,
  NetworkRemoveRequest,
} from './routes/networks.js';
export type { PathControl, PeerPath, Pong, TraceHop } from './routes/paths.js';
export type {
  PolicyAnswer,
  PolicyApplyRequest,
  PolicyControl,
  PolicyDenial,
  PolicyDenials,
  PolicyInfo,
  PolicyList,
  PolicyQuestion,
  PolicyRemoveRequest,
} from './routes/policies.js';
export type { RotateRequest, Rotation, TrustControl, Verdict, VerdictRequest } from './routes/trust.js';
export type {
  Attachment,
  AttachRequest,
  Connection,
  ConnectRequest,
  Datapath,
  DetachRequest,
  ForwarderExchange,
  Peer,
  Readiness,
  Report,
  Source,
  Status,
  Stopped,
  Target,
  Token,
  TokenRequest,
  Version,
} from './schemas.js';
export { type ApiOptions, type ApiServer, serveApi } from './server.js';

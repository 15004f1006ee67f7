import type { CheckControl } from './routes/check.js';
import type { CniControl } from './routes/cni.js';
import type { DockerControl } from './routes/docker.js';
import type { EventControl } from './routes/events.js';
import type { ExposureControl } from './routes/exposures.js';
import type { AddressControl } from './routes/ipam.js';
import type { KubernetesControl } from './routes/kubernetes.js';
import type { NameControl } from './routes/names.js';
import type { NetavarkControl } from './routes/netavark.js';
import type { NetworkControl } from './routes/networks.js';
import type { PathControl } from './routes/paths.js';
import type { PolicyControl } from './routes/policies.js';
import type { TrustControl } from './routes/trust.js';
import type {
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
import type { Observation } from './status/index.js';

/** What the API needs of the router. Methods reject with WeftErrors, whose codes become HTTP statuses. */
export interface RouterControl {
  readonly paths: PathControl;
  readonly checkup: CheckControl;
  readonly trust: TrustControl;
  version(): Version;
  status(): Promise<Status>;
  report(): Promise<Report>;
  /** What the status address tells. */
  observe(): Promise<Observation>;
  readiness(): Promise<Readiness>;
  peers(): readonly Peer[];
  connections(): Promise<readonly Connection[]>;
  targets(): readonly Target[];
  /** Where targets come from, besides a launch and `connect`. */
  sources(): readonly Source[];
  readonly names: NameControl;
  readonly addresses: AddressControl;
  datapath(): Promise<Datapath>;
  /** Has a forwarder of the installed program take the place of the running one. */
  exchangeForwarder(): Promise<ForwarderExchange>;
  /** A join token: with these addresses, else with those of the launch, else with the host's own. */
  token(request: TokenRequest): Promise<Token>;
  /** Gives the targets afterwards. */
  connect(request: ConnectRequest): Promise<readonly Target[]>;
  forget(peers: readonly string[]): Promise<readonly Target[]>;
  readonly networks: NetworkControl;
  readonly exposures: ExposureControl;
  readonly policies: PolicyControl;
  readonly docker: DockerControl;
  readonly cni: CniControl;
  readonly netavark: NetavarkControl;
  readonly kubernetes: KubernetesControl;
  readonly events: EventControl;
  attachments(): readonly Attachment[];
  attach(request: AttachRequest): Promise<Attachment>;
  /** Gives what is left of the attachment, or null when it is gone. */
  detach(request: DetachRequest): Promise<Attachment | null>;
  /** Leaves the network and takes everything down; with `forget`, the state too. The process ends soon after. */
  stop(options: { readonly forget: boolean }): Promise<Stopped>;
}

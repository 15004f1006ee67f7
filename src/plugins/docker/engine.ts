/** What is needed of Docker's API. Each call rejects with `engine-absent` or `engine-failed` when Docker does not answer as it should. */
export interface DockerEngine {
  /** Path of its socket. */
  readonly socket: string;
  /** Ids of all containers that have a process, paused ones among them. */
  running(): Promise<readonly string[]>;
  inspect(id: string): Promise<DockerContainer | undefined>;
  imageLabels(image: string): Promise<Readonly<Record<string, string>>>;
  /** By id or name. */
  network(name: string): Promise<DockerNetwork | undefined>;
  /** All networks, whatever their driver. */
  networks(): Promise<readonly Pick<DockerNetwork, 'id' | 'name'>[]>;
  createNetwork(network: NewDockerNetwork): Promise<unknown>;
  removeNetwork(id: string): Promise<unknown>;
}

/** A container as Docker describes it. */
export interface DockerContainer {
  readonly id: string;
  readonly name: string;
  /** Of its first process; undefined while it does not run. */
  readonly pid: number | undefined;
  readonly hostname: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly networks: readonly {
    readonly networkId: string;
    /** Empty while it does not run. */
    readonly endpointId: string;
    readonly aliases: readonly string[];
  }[];
}

export interface DockerNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
  readonly subnets: readonly {
    readonly subnet: string;
    readonly gateway?: string;
    readonly aux: Readonly<Record<string, string>>;
  }[];
  /** Ids, also of containers that are being started. */
  readonly endpoints: readonly string[];
}

export interface NewDockerNetwork {
  readonly name: string;
  readonly driver: string;
  readonly ipamDriver: string;
  readonly subnets: DockerNetwork['subnets'];
  readonly options: Readonly<Record<string, string>>;
  readonly ipv6: boolean;
}

/** Where the daemon hears of containers. */
export interface DockerEngines {
  /** A container runs now, or is on another network now. */
  on(event: 'started', listener: (engine: DockerEngine, container: DockerContainer) => void): unknown;
  /** An engine's events are heard from now on: what happened before may have been missed. */
  on(event: 'connected', listener: (engine: DockerEngine) => void): unknown;
  /** Watches all engines that this host may have; Docker is the first of them. */
  watchAll(): Iterable<DockerEngine>;
}

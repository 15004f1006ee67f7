import type { Ipam } from '../routes/ipam.js';
import type { KubernetesStatus } from '../routes/kubernetes.js';
import type { DnsStatus } from '../routes/names.js';
import type { Connection, Peer, Status } from '../schemas.js';

/** What a router is like at one moment: all that the status address tells comes from here. */
export interface Observation {
  readonly status: Status;
  /** What is wrong on this host and hinders its containers, in sentences. */
  readonly faults: readonly string[];
  readonly peers: readonly Peer[];
  readonly connections: readonly Connection[];
  readonly dns: DnsStatus;
  readonly ipam: Ipam;
  readonly docker: DockerActivity;
  /** Packets that policies denied on this host, by the reason and the protocol: null where the kernel does not tell. */
  readonly denied: Readonly<Record<string, Readonly<Record<string, number>>>> | null;
  readonly enforcement: EnforcementActivity;
  /** Null where nothing is left to the kernel. */
  readonly kernelPaths: KernelPathActivity | null;
  readonly kubernetes: Pick<KubernetesStatus, 'enabled' | 'state' | 'counts' | 'removed'>;
  /** Of the forwarder: null while it does not answer. */
  readonly counters: {
    readonly forwarder: Readonly<Record<string, number>> | null;
    /** Frames that the rules of this host's bridges refused. */
    readonly bridges: Readonly<Record<string, number>>;
    readonly mesh: Readonly<Record<string, number>>;
    readonly overlay: Readonly<Record<string, number>>;
  };
  /** Networks that have a loop now. */
  readonly loops: readonly { readonly muted: boolean }[];
  readonly daemon: DaemonFacts;
}

/** What Docker asked of its network plugin. */
export interface DockerActivity {
  readonly enabled: boolean;
  readonly requests: number;
  readonly failures: number;
}

/** From when this host heard of changes of policies or containers until they were in force, in seconds. */
export interface EnforcementActivity {
  readonly last: number;
  readonly total: number;
  readonly count: number;
}

/** Frames that stay in the kernel. */
export interface KernelPathActivity {
  /** Of a peer's frames, from the forwarder to the kernel and back. */
  readonly moves: number;
  /** Since the devices were made. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** The daemon's process. All times are in seconds. */
export interface DaemonFacts {
  readonly node: string;
  /** Unix time. */
  readonly now: number;
  readonly startedAt: number;
  readonly cpu: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  /** How much later than it could have run a task ran. */
  readonly eventLoopLag: number;
  /** How long the event loop was at work since the start. */
  readonly eventLoopBusy: number;
}

/** Looks at the router once. */
export type Observe = () => Promise<Observation>;

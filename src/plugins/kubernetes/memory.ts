import type { Labels } from '../../labels.js';
import type { ClusterPod } from './pods.js';
import type { KnownRouter } from './removed-nodes.js';

/** A NetworkPolicy as it was understood. */
export interface StoredPolicy {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** What is on the disk: a router that starts while the API server is away enforces what it knew, and remembers who was on which node. */
export interface ClusterMemory {
  readonly policies: readonly StoredPolicy[];
  readonly namespaces: Readonly<Record<string, Labels>>;
  readonly pods: readonly ClusterPod[];
  readonly routers: readonly KnownRouter[];
}

export interface ClusterFile {
  read(): Promise<ClusterMemory>;
  write(content: () => ClusterMemory): Promise<void>;
}

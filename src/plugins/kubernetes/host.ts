/** What the daemon does for this plugin: who takes part in the mesh, and what a dead router owned. */
export interface KubernetesHost {
  /** Id of this router. */
  readonly peer: string;
  /** Routers that work: this one, and those that messages get to. */
  alive(): readonly string[];
  /** Whether anything is left of a router: somebody knows it as a member, or addresses are its own. */
  remembers(peer: string): boolean;
  /**
   * Has all routers forget a dead one; this router takes over its addresses. Rejects with `peer-alive`, `removed-already`, or where only an
   * administrator may do that.
   */
  remove(peer: string): Promise<void>;
  /** Whether this router can do for containers what it is there for. */
  isReady(): Promise<boolean>;
}

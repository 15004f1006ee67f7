/** All targets that a source knows at one moment. */
export interface Snapshot {
  /** `host[:port]`, as the source writes them. */
  readonly targets: readonly string[];
  /** False when some may be missing: such a snapshot adds targets and takes none away. */
  readonly whole: boolean;
  /** It holds for so long, in milliseconds; absent: as long as such sources usually are left alone. */
  readonly freshFor?: number;
}

/** Where targets come from. docs/plugins.md says what is asked of one. */
export interface Source {
  /** As it was given, without what is secret in it. */
  readonly name: string;
  /**
   * Gives a snapshot at first and at each change, until the signal comes. When something is wrong it ends or rejects, and is begun
   * again after a while. Whoever reads the snapshots may be slow: what changed meanwhile comes in one snapshot.
   */
  follow(signal: AbortSignal): AsyncGenerator<Snapshot>;
}

/** What a source may know of this router. */
export interface SourceContext {
  readonly peer: string;
  /** `host:port` at which others reach this router. */
  readonly addresses: () => readonly string[];
  /** Where others reach this router on each of its addresses. */
  readonly port: number;
  /** This host's own addresses that lead to other hosts. */
  readonly ownAddresses: () => Promise<readonly string[]>;
  /**
   * What only members can compute of a text, the newest first; none in a network of a password. Goes where strangers may read it,
   * and says to members who else is one.
   */
  readonly marks: (text: string) => readonly string[];
  /** The resolv.conf that names the DNS servers. */
  readonly resolvConf: string;
  readonly pause: Pause;
}

/** Resolves after so many milliseconds, or once the signal comes. */
export type Pause = (milliseconds: number, signal: AbortSignal) => Promise<void>;

/** A source that is looked at again and again: `every` so many milliseconds, or as soon as its snapshot is stale. */
export async function* lookAgain(
  look: (signal: AbortSignal) => Promise<Snapshot>,
  every: number,
  pause: Pause,
  signal: AbortSignal,
): AsyncGenerator<Snapshot> {
  while (!signal.aborted) {
    const snapshot = await look(signal);
    yield snapshot;
    await pause(Math.min(every, snapshot.freshFor ?? every), signal);
  }
}

/** What is compared: one way to connect the two sides of a topology. */
import { fileURLToPath } from 'node:url';
import { attempt, type Node, type Running } from '../test/lab/index.js';
import type { Topology } from './topology.js';

/**
 * `kernel`: Linux alone. `floor`: the least that a tunnel in user space has to do. `peer`: others' software, which weft is
 * measured against.
 */
export type ContenderKind = 'kernel' | 'floor' | 'weft' | 'peer';

export interface Contender {
  /** Unique, as shown in tables and taken by `--only`. */
  readonly name: string;
  readonly kind: ContenderKind;
  readonly encrypted: boolean;
  /** What the reader must know to judge the figures: layer, cipher, MTU. */
  readonly setup: string;
  /** Why it cannot run here, or undefined when it can. */
  unavailable(): Promise<string | undefined>;
  /** As its program tells it; undefined if it cannot be told. */
  version(): Promise<string | undefined>;
  /** Connects the two sides. Resolves when all is configured; the bench then awaits the first ping across. */
  start(topology: Topology): Promise<Connection>;
}

/** A contender at work. */
export interface Connection {
  /** Where the workloads run, and what they aim at. */
  readonly client: Node;
  readonly server: Node;
  readonly serverAddress: string;
  /** Its processes on side a by role: the memory that is reported. Empty if the kernel does it all. */
  readonly roles: { readonly daemon?: number; readonly forwarder?: number };
  /** All its processes, on both sides: the CPU time that is reported. */
  readonly pids: readonly number[];
  /** What carries the packets, as the contender itself says after the work; undefined if it says nothing. */
  carrier?(): Promise<string>;
  /** The end of its logs, for error messages. */
  logs(): string;
  stop(): Promise<void>;
}

/** Where `make` puts what it builds. */
export const BUILT = fileURLToPath(new URL('../build', import.meta.url));

/** `unavailable()` of a contender that needs these commands, names or paths. */
export const needs =
  (...commands: string[]) =>
  async (): Promise<string | undefined> => {
    for (const command of commands) {
      const found = await attempt(['sh', '-c', 'command -v "$1"', 'sh', command]);
      if (found.code !== 0) return `${command} is not there`;
    }
    return undefined;
  };

/** The connection that the kernel alone makes. */
export function kernelConnection(topology: Topology, end: 'container' | 'host'): Connection {
  const { a, b } = topology;
  return {
    client: a[end],
    server: b[end],
    serverAddress: end === 'host' ? b.wireAddress : b.overlayAddress,
    roles: {},
    pids: [],
    logs: () => '',
    stop: async () => {},
  };
}

/** The connection that one daemon on each host makes. `end` says where its tunnel ends. */
export function daemonConnection(
  topology: Topology,
  end: 'container' | 'host',
  daemonA: Running,
  daemonB: Running,
): Connection {
  const { a, b } = topology;
  const daemons = [daemonA, daemonB];
  return {
    client: a[end],
    server: b[end],
    serverAddress: b.overlayAddress,
    roles: { daemon: daemonA.pid },
    pids: daemons.map((daemon) => daemon.pid),
    logs: () => daemons.map((daemon) => `${daemon.stdout}${daemon.stderr}`.slice(-2000)).join('\n'),
    stop: async () => {
      await Promise.all(daemons.map((daemon) => daemon.stop('SIGTERM')));
    },
  };
}

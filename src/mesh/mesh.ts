import { EventEmitter } from 'node:events';
import type { PeerId } from '../identity/index.js';
import type { CipherSpeed, LinkView, MemberView, MeshEvents, MeshOptions, TargetView } from './types.js';

export declare class Mesh extends EventEmitter<MeshEvents> {
  constructor(options: MeshOptions);
  /** The TCP port in use; valid after `start`. */
  readonly port: number;
  /** Random for each process: tells a restart or a clone from the same router. */
  readonly instance: string;
  /** Listens and begins to dial. Rejects with `port-in-use` or `listen-failed`. */
  start(): Promise<void>;
  /** Tells the neighbours that we leave (unless `leave` is false: we come back), closes all links. */
  stop(options?: { leave?: boolean }): Promise<void>;
  /** Adds targets (`host[:port]`); with `replace`, forgets the others. Throws `bad-target`. */
  connect(targets: readonly string[], options?: { replace?: boolean }): void;
  /** Removes targets and returns those that were not known. Links stay. */
  forget(targets: readonly string[]): readonly string[];
  targets(): readonly TargetView[];
  links(): readonly LinkView[];
  members(): readonly MemberView[];
  /** Sends over the direct link; false when there is none or its queue is full. */
  send(peer: PeerId, channel: string, bytes: Uint8Array): boolean;
  announceCiphers(ciphers: readonly CipherSpeed[]): void;
  addObservedEndpoint(endpoint: string): void;
  /** Everything that was refused or failed, by reason. */
  counters(): Readonly<Record<string, number>>;
}

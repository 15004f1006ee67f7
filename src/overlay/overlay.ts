import { EventEmitter } from 'node:events';
import type { ConnectionView, OverlayEvents, OverlayOptions } from './types.js';

export declare class Overlay extends EventEmitter<OverlayEvents> {
  constructor(options: OverlayOptions);
  /** Begins to drive the data plane (now if it is connected, else at its `ready`). */
  start(): Promise<void>;
  /** Stops driving; what the data plane has stays as it is, so that traffic goes on. */
  stop(): void;
  /** The numbers of the segments that this host has. */
  setNetworks(networks: readonly number[]): void;
  connections(): Promise<readonly ConnectionView[]>;
  counters(): Readonly<Record<string, number>>;
}

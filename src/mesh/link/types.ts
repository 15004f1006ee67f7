import type { DialTimings } from './tcp/index.js';

/** All in milliseconds. */
export interface LinkTimings extends DialTimings {
  /** From an accepted or dialled TCP connection to an established link. */
  readonly handshakeTimeout: number;
  readonly pingInterval: number;
  /** A link that has been silent for so long is dead. */
  readonly linkTimeout: number;
  /** How long an existing link gets to show life when a second one to the same peer arrives. */
  readonly duplicateProbe: number;
}

import type { PeerId } from '../../../identity/index.js';

/** When a connection that failed is tried again. All in milliseconds. */
export interface DialTimings {
  readonly backoffInitial: number;
  readonly backoffMax: number;
  /** Pause before a target that leads back to this router is looked at again. */
  readonly selfRetry: number;
  /** How long a link must have lived to reset the backoff of its target. */
  readonly backoffReset: number;
}

export type TargetState = 'connecting' | 'connected' | 'waiting' | 'self';

/** Where a link is wanted to. */
export interface TargetView {
  /** `host:port`. */
  readonly target: string;
  /** By the operator; false when only sources of targets name it. */
  readonly configured: boolean;
  readonly state: TargetState;
  /** The peer found there, once it is known. */
  readonly peer?: PeerId;
  /** Unix time in milliseconds of the next attempt, when waiting. */
  readonly retryAt?: number;
  readonly lastError?: { readonly code: string; readonly message: string };
}

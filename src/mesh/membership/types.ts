/** An address of this host: on a default route, on another uplink, or one that is of use only where there is neither. */
export interface LocalAddress {
  readonly address: string;
  readonly use: 'primary' | 'uplink' | 'spare';
}

/** A cipher that a peer's data plane has, and what it costs there. */
export interface CipherSpeed {
  readonly name: string;
  /** The CPU does the work (AES-NI and alike), so the figure holds under load. */
  readonly hardware: boolean;
  /** Measured time to seal 1400 bytes, in nanoseconds. */
  readonly nanosecondsPer1400: number;
}

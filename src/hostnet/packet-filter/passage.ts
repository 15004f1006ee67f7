/** A subnet that the host has an address of, on one of weft's bridges. */
export interface ExposedSubnet {
  readonly bridge: string;
  /** Such as `10.32.0.0/12`. */
  readonly subnet: string;
  /** Whether what comes from it, and goes to it, gets the host's address. */
  readonly masquerade: boolean;
}

/** A container's port on one of weft's bridges that is in hairpin mode. */
export interface HairpinPort {
  readonly port: string;
  /** Of the container. */
  readonly mac: string;
}

/** What a host lets through for weft's bridges. */
export interface Passage {
  /** Bridges between whose ports frames go. */
  readonly bridges: readonly string[];
  readonly exposed: readonly ExposedSubnet[];
}

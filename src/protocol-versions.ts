/**
 * The versions of what parts of weft say to each other that may be of different releases. Each is raised when something that was said before goes or changes
 * its meaning; what is only added leaves it as it is. docs/install.md says what users may rely on.
 */
export const PROTOCOL_VERSIONS = {
  /** Commands to the router. */
  api: 1,
  /** Routers to each other (docs/protocol.md, 3.4). */
  link: 1,
  /** The daemon to the forwarder (docs/forwarder.md). */
  forwarder: 1,
} as const;

/** The HTTP header in which each answer of the API tells its version. */
export const API_HEADER = 'weft-api';

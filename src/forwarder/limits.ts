/** What the forwarder can be told to be: the bounds of native/src/main.cc and native/src/offload/switches.h, said once for all that ask. */

/** Most threads of the data plane. */
export const MAX_WORKERS = 16;

/** Most UDP ports that packets leave from. */
export const MAX_UDP_PORTS = 16;

/** The offloads of the kernel that it can do without. */
export const OFFLOADS = ['tap-csum', 'tap-tso', 'tap-uso', 'udp-gso', 'udp-gro'] as const;

/** MACs that a bridge learns by itself, where the kernel can be told (since 6.8): each takes memory of the kernel. */
export const MAX_LEARNED = 65_536;

/** Broadcasts and frames to unknown addresses, of each segment and worker, in a second. */
export const DEFAULT_STORM_LIMIT = 5_000;
export const MAX_STORM_LIMIT = 10_000_000;

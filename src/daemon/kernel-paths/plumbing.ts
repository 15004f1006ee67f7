import type { Forwarder } from '../../forwarder/index.js';
import type * as hostnet from '../../hostnet/index.js';

/** What kernel paths take of this host's kernel. */
export type KernelPlumbing = Pick<
  typeof hostnet,
  'change' | 'changesOf' | 'ensureVxlan' | 'removeLink' | 'stationsOf' | 'vxlansOf'
>;

/** What they take of the packet filter. */
export type KernelGuard = Pick<hostnet.VxlanGuard, 'admit' | 'drop' | 'look'>;

/** What they take of the forwarder. */
export type KernelForwarder = Pick<
  Forwarder,
  'closeKernelPath' | 'connected' | 'dump' | 'openKernelPath' | 'removeKernelPath' | 'setKernelPath'
>;

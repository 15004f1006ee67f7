import type { Forwarder } from '../../forwarder/index.js';
import type * as hostnet from '../../hostnet/index.js';

/** What segments take of this host's kernel. */
export type SegmentPlumbing = Pick<typeof hostnet, 'bridgesOf' | 'ensureBridge' | 'plugTap' | 'removeBridge'>;

/** What segments take of the forwarder. */
export type SegmentForwarder = Pick<
  Forwarder,
  'closeNetwork' | 'connected' | 'dump' | 'limitLearning' | 'openNetwork'
>;

/** All places where the daemon reads bytes of other members, of strangers, or of containers. */
import type { Target } from '../target.js';
import { CHANNEL_TARGETS } from './channels.js';
import { CODEC_TARGETS } from './codecs.js';
import { DNS_TARGETS } from './dns.js';
import { MESSAGE_TARGETS } from './messages.js';
import { STREAM_TARGETS } from './streams.js';

export const TARGETS: readonly Target[] = [
  ...CODEC_TARGETS,
  ...STREAM_TARGETS,
  ...DNS_TARGETS,
  ...CHANNEL_TARGETS,
  ...MESSAGE_TARGETS,
];

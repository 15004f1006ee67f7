import type { ForwarderDump } from '../../forwarder/index.js';
import { keyOf } from './key.js';

type Problem = NonNullable<ForwarderDump['kernelPaths'][number]['problem']>;

/** Why frames do not stay in the kernel although both ends trust the wire. */
const SENTENCES: Readonly<Record<Problem, string>> = {
  'no-device': 'its device is being made',
  'no-key': 'no key is agreed yet',
  'too-big':
    'full-sized frames do not fit the wire: its MTU must be 50 bytes larger than that of the containers (70 over IPv6)',
  failed: 'the kernel refuses to send by it',
};

/** Why probes could not leave, in words, by the key of the path. */
export function problemsOf(kernelPaths: ForwarderDump['kernelPaths']): ReadonlyMap<string, string> {
  return new Map(
    kernelPaths.flatMap(({ network, peer, problem }) =>
      problem === null ? [] : [[keyOf(network, peer), SENTENCES[problem]] as const],
    ),
  );
}

/** Why there is no path, where probes leave for UDP port `port`. */
export function unanswered(port: number): string {
  return `full-sized probes are not answered at UDP port ${port}: is it open in both directions, and does the other end leave frames to its kernel?`;
}

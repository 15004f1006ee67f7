import type { Observation } from '../observation.js';
import { counter, type Family } from './family.js';

const ofKernelPaths =
  (read: (kernelPaths: NonNullable<Observation['kernelPaths']>) => number) =>
  ({ kernelPaths }: Observation): number | null =>
    kernelPaths === null ? null : read(kernelPaths);

/** Frames that stay in the kernel where both ends trust the wire; left out where nothing is left to it. */
export const KERNEL_PATHS: readonly Family[] = [
  counter(
    'weft_kernel_path_moves_total',
    'How often frames for the containers of a peer moved from the forwarder to the kernel, or back.',
    ofKernelPaths(({ moves }) => moves),
  ),
  counter(
    'weft_kernel_path_sent_bytes_total',
    'Bytes of frames that the kernel sent to other hosts by itself; weft_peer_sent_bytes_total has those of the forwarder.',
    ofKernelPaths(({ sentBytes }) => sentBytes),
  ),
  counter(
    'weft_kernel_path_received_bytes_total',
    'Bytes of frames that the kernel received from other hosts by itself.',
    ofKernelPaths(({ receivedBytes }) => receivedBytes),
  ),
];

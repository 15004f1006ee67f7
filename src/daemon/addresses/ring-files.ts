import { uptime } from 'node:os';
import { join } from 'node:path';
import { bootId } from '../../hostnet/index.js';
import { type Block, RingFiles, type RingState } from '../../ipam/index.js';
import type { LaunchRequest } from '../state/index.js';
import { runPaths } from '../state/paths.js';

/** The ring of addresses as it is on the disk. */
export interface Ring {
  readonly files: RingFiles;
  readonly state: RingState;
  /** It is certain that the disk is the last one. */
  readonly continued: boolean;
}

/** Rejects with `file-corrupt`, or when the range is not that of the ring. */
export async function loadRing({ stateDir, runDir }: LaunchRequest, range: Block): Promise<Ring> {
  const files = new RingFiles({
    statePath: join(stateDir, 'addresses.json'),
    markerPath: runPaths(runDir).witness,
    bootId: await bootId(),
    uptime,
  });
  return { files, ...(await files.load(range)) };
}

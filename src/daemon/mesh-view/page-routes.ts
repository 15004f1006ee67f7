import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { meshRoutes, type StatusRoutes } from '../../api/status/index.js';
import { packageRoot } from '../../version.js';
import { errorFields, type Log } from '../logging/index.js';
import { MeshSight, type MeshSightOptions } from './mesh-sight.js';

export interface PageOptions extends MeshSightOptions {
  readonly log: Log;
}

/** The page of this router. Nothing runs for it until somebody opens it. */
export function pageRoutes({ log, ...parts }: PageOptions): StatusRoutes {
  return meshRoutes({
    source: new MeshSight(parts),
    page: pathToFileURL(join(packageRoot(), 'dist/ui/')),
    onFault: (error) => log.error(`the page is not told of the mesh: ${String(error)}`, errorFields(error)),
  });
}

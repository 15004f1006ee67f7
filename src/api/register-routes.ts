import type { App } from './app.js';
import type { RouterControl } from './control.js';
import { attachmentsRoutes } from './routes/attachments.js';
import { checkRoute } from './routes/check.js';
import { connectionsRoute } from './routes/connections.js';
import { datapathRoute } from './routes/datapath.js';
import { dockerRoutes } from './routes/docker.js';
import { eventsRoute } from './routes/events.js';
import { exposuresRoutes } from './routes/exposures.js';
import { ipamRoutes } from './routes/ipam.js';
import { namesRoutes } from './routes/names.js';
import { networksRoutes } from './routes/networks.js';
import { pathsRoutes } from './routes/paths.js';
import { peersRoute } from './routes/peers.js';
import { policiesRoutes } from './routes/policies.js';
import { readyRoute } from './routes/ready.js';
import { reportRoute } from './routes/report.js';
import { statusRoute } from './routes/status.js';
import { stopRoutes } from './routes/stop.js';
import { targetsRoutes } from './routes/targets.js';
import { tokenRoutes } from './routes/token.js';
import { trustRoutes } from './routes/trust.js';
import { versionRoute } from './routes/version.js';

/** Everything that the API answers, a file of `routes/` each. */
export function registerRoutes(app: App, router: RouterControl): void {
  versionRoute(app, router);
  statusRoute(app, router);
  readyRoute(app, router);
  reportRoute(app, router);
  peersRoute(app, router);
  connectionsRoute(app, router);
  pathsRoutes(app, router);
  checkRoute(app, router);
  targetsRoutes(app, router);
  datapathRoute(app, router);
  networksRoutes(app, router);
  exposuresRoutes(app, router);
  policiesRoutes(app, router);
  dockerRoutes(app, router);
  eventsRoute(app, router);
  attachmentsRoutes(app, router);
  namesRoutes(app, router);
  ipamRoutes(app, router);
  tokenRoutes(app, router);
  trustRoutes(app, router);
  stopRoutes(app, router);
}

import Type, { type Static } from 'typebox';
import { type Clock, SystemClock } from '../../clock.js';
import type { App } from '../app.js';
import { Nullable, PeerId, Readiness } from '../schemas.js';
import { readiness } from './health.js';
import type { Observation, Observe } from './observation.js';
import { Sights } from './sights.js';

/** What everybody may know: neither the network's id, of which a password could be guessed, nor paths of files. */
export const PublicStatus = Type.Object({
  version: Type.String(),
  uptime: Type.Number({ description: 'seconds' }),
  peer: PeerId,
  nickname: Type.String(),
  ...Readiness.properties,
  forwarder: Type.Object({
    connected: Type.Boolean(),
    version: Nullable(Type.String()),
    restarts: Type.Number(),
  }),
  peers: Type.Object({ known: Type.Number(), linked: Type.Number() }),
  connections: Type.Object({ up: Type.Number(), total: Type.Number() }),
  targets: Type.Object({ connected: Type.Number(), total: Type.Number() }),
  attachments: Type.Number(),
  networks: Type.Number({ description: 'beside the default one' }),
  dns: Nullable(Type.String()),
});
export type PublicStatus = Static<typeof PublicStatus>;

const OPEN_METRICS = 'application/openmetrics-text';

/** Metrics, health and the public part of the status. Nothing of it is computed when nobody asks. */
export function observationRoutes(observe: Observe, clock: Clock = new SystemClock()): (app: App) => void {
  const sights = new Sights(observe, clock);
  return (app) => {
    app.get('/livez', { schema: { summary: 'the daemon answers' } }, async () => ({ alive: true }));
    app.get('/readyz', { schema: { summary: 'whether the router works' } }, async (_request, reply) => {
      const found = readiness((await sights.now()).seen);
      return await reply.status(found.ready ? 200 : 503).send(found);
    });
    app.get('/status', { schema: { summary: 'what everybody may know' } }, async () =>
      publicStatus((await sights.now()).seen),
    );
    app.get('/metrics', { schema: { summary: 'for Prometheus' } }, async ({ headers }, reply) => {
      const format = headers.accept?.includes(OPEN_METRICS) ? 'openmetrics' : 'text';
      const [{ contentTypes, metricsText }, sight] = await Promise.all([
        import('./metrics/index.js'), // loading it takes a while, which only those pay whom somebody watches
        sights.now(),
      ]);
      reply.header('content-type', contentTypes[format]);
      return await reply.send(await sight.text(format, (seen) => metricsText(seen, format)));
    });
  };
}

export function publicStatus(seen: Observation): PublicStatus {
  const { status } = seen;
  const { connected, version, restarts } = status.forwarder;
  return {
    version: status.version,
    uptime: status.uptime,
    peer: status.peer,
    nickname: status.nickname,
    ...readiness(seen),
    forwarder: { connected, version, restarts },
    peers: status.peers,
    connections: status.connections,
    targets: status.targets,
    attachments: status.attachments,
    networks: status.networks,
    dns: status.dns,
  };
}

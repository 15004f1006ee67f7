import Type from 'typebox';
import type { App } from '../app.js';
import type { RouterControl } from '../control.js';
import { Connection } from '../schemas.js';

export function connectionsRoute(app: App, router: RouterControl): void {
  app.get(
    '/connections',
    {
      schema: {
        summary: 'connections to other routers and their measured quality',
        response: { 200: Type.Array(Connection) },
      },
    },
    async () => [...(await router.connections())],
  );
}

import Type from 'typebox';
import type { App } from '../app.js';
import type { RouterControl } from '../control.js';
import { Peer } from '../schemas.js';

export function peersRoute(app: App, router: RouterControl): void {
  app.get(
    '/peers',
    {
      schema: { summary: 'routers of the network that this one knows', response: { 200: Type.Array(Peer) } },
    },
    async () => [...router.peers()],
  );
}

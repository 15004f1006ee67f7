import type { App } from '../app.js';
import type { RouterControl } from '../control.js';
import { Datapath } from '../schemas.js';

export function datapathRoute(app: App, router: RouterControl): void {
  app.get(
    '/datapath',
    { schema: { summary: 'the forwarder: ciphers, offloads, MACs, counters', response: { 200: Datapath } } },
    async () => router.datapath(),
  );
}

import type { App } from '../app.js';
import type { RouterControl } from '../control.js';
import { Datapath, ForwarderExchange } from '../schemas.js';

export function datapathRoutes(app: App, router: RouterControl): void {
  app.get(
    '/datapath',
    { schema: { summary: 'the forwarder: ciphers, offloads, MACs, counters', response: { 200: Datapath } } },
    async () => router.datapath(),
  );
  app.post(
    '/datapath/exchange',
    {
      schema: {
        summary: 'have a forwarder of the installed program take the place of the running one',
        response: { 200: ForwarderExchange },
      },
    },
    async () => router.exchangeForwarder(),
  );
}

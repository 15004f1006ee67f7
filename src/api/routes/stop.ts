import type { App } from '../app.js';
import type { RouterControl } from '../control.js';
import { Stopped } from '../schemas.js';

/** The end of this router. Both answer when everything is taken down; the process ends after the answer. */
export function stopRoutes(app: App, router: RouterControl): void {
  const response = { 200: Stopped };
  app.post('/stop', { schema: { summary: 'take everything down, keep the state', response } }, async () =>
    router.stop({ forget: false }),
  );
  app.post(
    '/reset',
    { schema: { summary: 'take everything down and forget the network', response } },
    async () => router.stop({ forget: true }),
  );
}

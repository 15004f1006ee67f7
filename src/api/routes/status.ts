import type { App } from '../app.js';
import type { RouterControl } from '../control.js';
import { Status } from '../schemas.js';

export function statusRoute(app: App, router: RouterControl): void {
  app.get('/status', { schema: { summary: 'overview', response: { 200: Status } } }, async () =>
    router.status(),
  );
}

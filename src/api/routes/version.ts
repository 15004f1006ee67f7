import type { App } from '../app.js';
import type { RouterControl } from '../control.js';
import { Version } from '../schemas.js';

export function versionRoute(app: App, router: RouterControl): void {
  app.get(
    '/version',
    { schema: { summary: 'versions of the parts', response: { 200: Version } } },
    async () => router.version(),
  );
}

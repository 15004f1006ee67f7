import type { App } from '../app.js';
import type { RouterControl } from '../control.js';
import { Report } from '../schemas.js';

export function reportRoute(app: App, router: RouterControl): void {
  app.get(
    '/report',
    { schema: { summary: 'everything that the router knows, but no secrets', response: { 200: Report } } },
    async () => router.report(),
  );
}

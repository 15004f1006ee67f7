import type { App } from '../app.js';
import type { RouterControl } from '../control.js';
import { Readiness } from '../schemas.js';

/** Whether the router works, as `/readyz` of the status address says it. */
export function readyRoute(app: App, router: Pick<RouterControl, 'readiness'>): void {
  const summary = 'whether the router can do what it is there for, and why not';
  app.get('/ready', { schema: { summary, response: { 200: Readiness } } }, async () => router.readiness());
}

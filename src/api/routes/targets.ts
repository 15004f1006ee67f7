import Type from 'typebox';
import type { App } from '../app.js';
import type { RouterControl } from '../control.js';
import { ConnectRequest, ForgetRequest, Target } from '../schemas.js';

/** The routers that this one was told to connect to. */
export function targetsRoutes(app: App, router: RouterControl): void {
  const response = { 200: Type.Array(Target) };
  app.get('/targets', { schema: { summary: 'configured targets', response } }, async () => [
    ...router.targets(),
  ]);
  app.post(
    '/connect',
    { schema: { summary: 'add targets, or replace them', body: ConnectRequest, response } },
    async ({ body }) => [...(await router.connect(body))],
  );
  app.post(
    '/forget',
    { schema: { summary: 'remove targets; existing links stay', body: ForgetRequest, response } },
    async ({ body }) => [...(await router.forget(body.peers))],
  );
}

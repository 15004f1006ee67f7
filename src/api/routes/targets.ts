import Type from 'typebox';
import type { App } from '../app.js';
import type { RouterControl } from '../control.js';
import { ConnectRequest, ForgetRequest, Source, Target } from '../schemas.js';

/** The routers that this one was told to connect to, and who told it. */
export function targetsRoutes(app: App, router: RouterControl): void {
  const response = { 200: Type.Array(Target) };
  app.get('/targets', { schema: { summary: 'where links are wanted to', response } }, async () => [
    ...router.targets(),
  ]);
  app.get(
    '/sources',
    { schema: { summary: 'sources of targets', response: { 200: Type.Array(Source) } } },
    async () => [...router.sources()],
  );
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

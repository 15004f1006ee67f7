import type { App } from '../app.js';
import type { RouterControl } from '../control.js';
import { Token, TokenRequest } from '../schemas.js';

/** Join tokens. They hold the network's secret: the socket is open to root only. */
export function tokenRoutes(app: App, router: RouterControl): void {
  const response = { 200: Token };
  app.get('/token', { schema: { summary: 'the join token', response } }, async () => router.token({}));
  app.post(
    '/token',
    { schema: { summary: 'a join token with addresses of your choice', body: TokenRequest, response } },
    async ({ body }) => router.token(body),
  );
}

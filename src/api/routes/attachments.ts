import Type from 'typebox';
import type { App } from '../app.js';
import type { RouterControl } from '../control.js';
import { Attachment, AttachRequest, DetachRequest } from '../schemas.js';

/** The containers that are on the network. */
export function attachmentsRoutes(app: App, router: RouterControl): void {
  app.get(
    '/attachments',
    { schema: { summary: 'attached containers', response: { 200: Type.Array(Attachment) } } },
    async () => [...router.attachments()],
  );
  app.post(
    '/attachments',
    { schema: { summary: 'attach a container', body: AttachRequest, response: { 200: Attachment } } },
    async ({ body }) => router.attach(body),
  );
  app.delete(
    '/attachments',
    {
      schema: {
        summary: 'detach a container, or take addresses from it',
        body: DetachRequest,
        response: { 200: Type.Union([Attachment, Type.Null()]) },
      },
    },
    async ({ body }) => router.detach(body),
  );
}

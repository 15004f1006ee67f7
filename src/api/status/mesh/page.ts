import { readFile } from 'node:fs/promises';
import type { App } from '../../app.js';

/** What the page consists of: path, and kind. */
const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
} as const;

/** The files of the page, read when somebody asks for them first. */
export function pageRoutes(app: App, directory: URL): void {
  for (const [path, [name, type]] of Object.entries(FILES)) {
    let file: Promise<Buffer> | undefined;
    app.get(path, { schema: { summary: `the page: ${name}` } }, async (_request, reply) => {
      file ??= readFile(new URL(name, directory));
      reply.header('content-type', type);
      return await reply.send(await file);
    });
  }
}

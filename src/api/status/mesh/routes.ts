import Type from 'typebox';
import { type Clock, SystemClock } from '../../../clock.js';
import { WeftError } from '../../../errors.js';
import type { App } from '../../app.js';
import { pageRoutes } from './page.js';
import type { MeshSource } from './source.js';
import { happenedText, Watcher } from './watcher.js';
import { Watchers } from './watchers.js';

const PeerParams = Type.Object({ peer: Type.String({ pattern: '^[0-9a-f]{16}$' }) });
const FindQuery = Type.Object({ text: Type.String({ minLength: 1, maxLength: 128 }) });

export interface MeshRoutesOptions {
  readonly source: MeshSource;
  /** Where the files of the page are. */
  readonly page: URL;
  readonly onFault: (error: unknown) => void;
  readonly clock?: Clock;
}

/** The page that shows the mesh, and what it reads. */
export function meshRoutes({ source, page, onFault, clock = new SystemClock() }: MeshRoutesOptions) {
  const watchers = new Watchers({ source, clock, onFault });
  return (app: App): void => {
    pageRoutes(app, page);
    app.get('/live', { schema: { summary: 'the mesh, and how it changes' } }, async (_request, reply) => {
      watchers.checkRoom();
      const events = source.events(happenedText);
      for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, `${value}`);
      reply.hijack();
      const watcher = new Watcher(reply.raw);
      watchers.add(watcher);
      watcher.follow(events);
    });
    app.get(
      '/hosts/:peer',
      { schema: { summary: 'more about a router', params: PeerParams } },
      async ({ params: { peer } }) => found(await source.host(peer), peer),
    );
    app.get(
      '/paths/:peer',
      { schema: { summary: 'how a router is reached, and what was tried', params: PeerParams } },
      async ({ params: { peer } }) => found(await source.path(peer), peer),
    );
    app.get(
      '/find',
      { schema: { summary: 'which routers have something of this text', querystring: FindQuery } },
      async ({ query: { text } }) => await source.find(text),
    );
  };
}

function found<T>(what: T | undefined, peer: string): T {
  if (what !== undefined) return what;
  throw new WeftError('no-such-peer', `there is no router ${peer} to tell of`);
}

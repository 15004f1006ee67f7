import { pipeline } from 'node:stream';
import Type from 'typebox';
import type { EventStreams } from '../../events/index.js';
import type { App } from '../app.js';

/** What the API needs to tell what happens. */
export type EventControl = Pick<EventStreams, 'open'>;

const EventsQuery = Type.Object({
  since: Type.Optional(
    Type.String({ pattern: '^\\d{1,15}$', description: 'sequence number of the last one known' }),
  ),
  run: Type.Optional(Type.String({ maxLength: 64, description: 'to which that number belongs' })),
  after: Type.Optional(Type.String({ pattern: '^\\d{1,15}$', description: 'Unix time in milliseconds' })),
  follow: Type.Optional(
    Type.Union([Type.Literal('true'), Type.Literal('false')], { description: 'default: true' }),
  ),
});

/** What happens, as it happens; docs/observe.md describes the lines. */
export function eventsRoute(app: App, { events }: { readonly events: EventControl }): void {
  const summary = 'events as lines of JSON: those since a place, and those to come until the client goes';
  app.get('/events', { schema: { summary, querystring: EventsQuery } }, async ({ query }, reply) => {
    const { since, run, after, follow } = query;
    const place = { since: numberOf(since), run, after: numberOf(after) };
    const stream = events.open(place, { follow: follow !== 'false' });
    reply.hijack();
    // Whoever sees these hears of all that happens from now on, even if nothing does for long.
    reply.raw.writeHead(200, { 'content-type': 'application/x-ndjson' }).flushHeaders();
    pipeline(stream, reply.raw, () => {}); // the client went, or the router stops
  });
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

import Type, { type Static } from 'typebox';
import type { App } from '../app.js';
import { Connection, Nullable, PeerId } from '../schemas.js';

const Microseconds = Nullable(Type.Number({ description: 'microseconds; null: not answered' }));

const Candidate = Type.Object({
  endpoint: Type.String(),
  learned: Type.Boolean({ description: 'nobody told it: the peer was found there' }),
  probes: Type.Number(),
  answers: Type.Number(),
  rtt: Microseconds,
  lastAnswer: Nullable(Type.Number({ description: 'seconds ago' })),
});

const Relay = Type.Object({
  peer: PeerId,
  nickname: Type.String(),
  cost: Type.Number({ description: 'of the whole way, comparable to microseconds of round trip' }),
  hops: Type.Number({ description: 'from there to the peer' }),
});

const Nat = Type.String({ description: 'unknown, none, steady, rewriting or changing' });

export const PeerPath = Type.Object({
  ...Connection.properties,
  nat: Type.Object({ here: Nat, there: Nat }),
  candidates: Type.Array(Candidate),
  relays: Type.Array(Relay, { description: 'cheapest first' }),
});
export type PeerPath = Static<typeof PeerPath>;

export const PingRequest = Type.Object({
  peer: Type.String({ minLength: 1, maxLength: 64, description: 'nickname or peer id' }),
});

export const Pong = Type.Object({
  peer: PeerId,
  nickname: Type.String(),
  path: Type.String(),
  viaNickname: Nullable(Type.String()),
  rtt: Microseconds,
});
export type Pong = Static<typeof Pong>;

export const TraceHop = Type.Object({ peer: PeerId, nickname: Type.String(), rtt: Microseconds });
export type TraceHop = Static<typeof TraceHop>;

/** How packets reach the other routers. */
export interface PathControl {
  list(): Promise<readonly PeerPath[]>;
  /** One probe over the overlay. Rejects with `no-such-peer` or `ambiguous-peer`. */
  ping(peer: string): Promise<Pong>;
  /** The routers on the way, the peer last. Rejects as `ping` does. */
  trace(peer: string): Promise<readonly TraceHop[]>;
}

export function pathsRoutes(app: App, { paths }: { readonly paths: PathControl }): void {
  app.get(
    '/paths',
    {
      schema: {
        summary: 'for each peer, how packets reach it, and what was tried',
        response: { 200: Type.Array(PeerPath) },
      },
    },
    async () => [...(await paths.list())],
  );
  app.post(
    '/ping',
    { schema: { summary: 'one probe to a peer and back', body: PingRequest, response: { 200: Pong } } },
    async ({ body }) => await paths.ping(body.peer),
  );
  app.post(
    '/trace',
    {
      schema: {
        summary: 'the routers on the way to a peer',
        body: PingRequest,
        response: { 200: Type.Array(TraceHop) },
      },
    },
    async ({ body }) => [...(await paths.trace(body.peer))],
  );
}

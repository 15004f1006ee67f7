import Type, { type Static } from 'typebox';
import type { App } from '../app.js';
import { PeerId } from '../schemas.js';

export const CheckCell = Type.Object({
  state: Type.Union([
    Type.Literal('ok'),
    Type.Literal('warn', { description: 'it works, but not as well as it could' }),
    Type.Literal('fail'),
    Type.Literal('unknown', {
      description: 'what it takes to see it does not work, or there is nothing to see',
    }),
  ]),
  finding: Type.String({ description: 'in a few words' }),
  remedy: Type.Optional(Type.String({ description: 'what to do, in a sentence' })),
});
export type CheckCell = Static<typeof CheckCell>;

export const PeerCheck = Type.Object({
  peer: PeerId,
  nickname: Type.String(),
  control: CheckCell,
  data: CheckCell,
  mtu: CheckCell,
  multicast: CheckCell,
  names: CheckCell,
});
export type PeerCheck = Static<typeof PeerCheck>;

export const CheckRequest = Type.Object({
  timeout: Type.Number({ minimum: 1, maximum: 600, description: 'seconds' }),
});

/** What works between this router and the others. */
export interface CheckControl {
  /** Looks at each peer; ends after so many milliseconds at the latest. */
  check(timeout: number): Promise<readonly PeerCheck[]>;
}

export function checkRoute(app: App, { checkup }: { readonly checkup: CheckControl }): void {
  app.post(
    '/check',
    {
      schema: {
        summary: 'proves, peer by peer, what works',
        body: CheckRequest,
        response: { 200: Type.Array(PeerCheck) },
      },
    },
    async ({ body }) => [...(await checkup.check(body.timeout * 1000))],
  );
}

import Type, { type Static } from 'typebox';
import type { App } from '../app.js';

const AdminKey = Type.Optional(
  Type.String({
    pattern: '^[0-9a-f]{64}$',
    description: "the seed of the administrator's key, where it is not on this host; used once and not kept",
  }),
);

export const VerdictRequest = Type.Object({
  peer: Type.String({ minLength: 1, maxLength: 64, description: 'short id, or nickname if only one has it' }),
  adminKey: AdminKey,
});
export type VerdictRequest = Static<typeof VerdictRequest>;

/** What somebody declared about a peer. */
export const Verdict = Type.Object({
  peer: Type.String(),
  nickname: Type.String({ description: 'as it was then; may be empty' }),
  by: Type.String({ description: 'the router on which it was said; takes over its addresses' }),
  time: Type.Integer({ description: 'milliseconds since 1970' }),
});
export type Verdict = Static<typeof Verdict>;

export const RotateRequest = Type.Object({
  finish: Type.Optional(
    Type.Boolean({ description: 'drop the old secret now, whoever has not heard of the new one' }),
  ),
  resetTrust: Type.Optional(
    Type.Boolean({
      description:
        'begin anew with this router: a secret that nobody else is told, and nothing counts that was said before',
    }),
  ),
  adminKey: AdminKey,
});
export type RotateRequest = Static<typeof RotateRequest>;

export const Rotation = Type.Object({
  generation: Type.Integer({ description: 'how many secrets there were before this one' }),
  finished: Type.Boolean({ description: 'the old secret is good no more' }),
  waiting: Type.Array(Type.Object({ peer: Type.String(), nickname: Type.String() }), {
    description: 'members that have not confirmed the new secret',
  }),
});
export type Rotation = Static<typeof Rotation>;

/** Removing and expelling peers, and replacing the network's secret. */
export interface TrustControl {
  /** Declares a dead peer gone for good. Rejects with `peer-alive`, `removed-already`, `no-such-peer` or `ambiguous-peer`. */
  remove(request: VerdictRequest): Promise<Verdict>;
  /** Expels a peer. Rejects with `no-such-peer` or `ambiguous-peer`. */
  revoke(request: VerdictRequest): Promise<Verdict>;
  /** Replaces the secret, or ends that. Rejects with `rotation-unfinished`, `no-rotation` or `password-network`. */
  rotate(request: RotateRequest): Promise<Rotation>;
  /** How far the last replacement of the secret is; null when none goes on. */
  rotation(): Rotation | null;
}

export function trustRoutes(app: App, { trust }: { readonly trust: TrustControl }): void {
  const verdict = { 200: Verdict };
  app.post(
    '/peers/remove',
    { schema: { summary: 'forget a dead router for good', body: VerdictRequest, response: verdict } },
    async ({ body }) => trust.remove(body),
  );
  app.post(
    '/peers/revoke',
    { schema: { summary: 'expel a router', body: VerdictRequest, response: verdict } },
    async ({ body }) => trust.revoke(body),
  );
  app.post(
    '/token/rotate',
    { schema: { summary: "replace the network's secret", body: RotateRequest, response: { 200: Rotation } } },
    async ({ body }) => trust.rotate(body),
  );
}

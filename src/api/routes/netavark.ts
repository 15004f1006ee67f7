import Type, { type Static } from 'typebox';
import type { App } from '../app.js';

/** What Podman's netavark wants of its network driver: docs/cni.md. */
export const NetavarkCall = Type.Object({
  command: Type.Union([Type.Literal('create'), Type.Literal('setup'), Type.Literal('teardown')]),
  netns: Type.Optional(Type.String({ maxLength: 4_096, description: "path of the container's namespace" })),
  body: Type.Record(Type.String(), Type.Unknown(), { description: 'what it sends' }),
});
export type NetavarkCall = Static<typeof NetavarkCall>;

const Answer = Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]);

/** What the API needs of Podman's driver. */
export interface NetavarkControl {
  call(call: NetavarkCall): Promise<Record<string, unknown> | null>;
}

/** The network driver of Podman. */
export function netavarkRoute(app: App, { netavark }: { readonly netavark: NetavarkControl }): void {
  app.post(
    '/netavark',
    { schema: { summary: 'a call of Podman', body: NetavarkCall, response: { 200: Answer } } },
    async ({ body }) => netavark.call(body),
  );
}

import Type, { type Static } from 'typebox';
import type { App } from '../app.js';

/** A configuration may list all containers of a host. */
const MAX_BODY = 2 << 20;

/** What a container runtime wants of its network plugin: docs/cni.md. */
export const CniCall = Type.Object({
  command: Type.Union(
    [
      Type.Literal('ADD'),
      Type.Literal('DEL'),
      Type.Literal('CHECK'),
      Type.Literal('GC'),
      Type.Literal('STATUS'),
    ],
    { description: 'CNI_COMMAND' },
  ),
  containerId: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
  netns: Type.Optional(Type.String({ maxLength: 4_096 })),
  ifname: Type.Optional(Type.String({ minLength: 1, maxLength: 15 })),
  args: Type.Optional(Type.String({ maxLength: 16_384, description: 'CNI_ARGS' })),
  config: Type.Record(Type.String(), Type.Unknown(), { description: 'the network configuration' }),
  ipam: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: 'result of the plugin that gives addresses in place of weft',
    }),
  ),
});
export type CniCall = Static<typeof CniCall>;

export const CniFailure = Type.Object({
  code: Type.Integer({ description: 'as the specification numbers errors' }),
  msg: Type.String(),
  details: Type.String({ description: "weft's own code" }),
});
export type CniFailure = Static<typeof CniFailure>;

export const CniAnswer = Type.Union([
  Type.Object({ result: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]) }),
  Type.Object({ error: CniFailure }),
]);
export type CniAnswer = Static<typeof CniAnswer>;

export const CniInstallation = Type.Object({
  binDir: Type.String({ description: 'where the runtime looks for plugins' }),
  confDir: Type.String({ description: 'where it looks for network configurations' }),
  name: Type.String({
    pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.\\-]*$',
    maxLength: 64,
    description: "the runtime's name of the network",
  }),
  network: Type.String({ minLength: 1, maxLength: 64, description: "weft's name of it" }),
});
export type CniInstallation = Static<typeof CniInstallation>;

export const CniStatus = Type.Object({
  installation: Type.Union([CniInstallation, Type.Null()]),
  files: Type.Array(Type.String(), { description: 'what was put where the runtime looks' }),
  interfaces: Type.Integer({ description: 'of containers of this host' }),
  fault: Type.Union([Type.String(), Type.Null()], { description: 'why the files are not there' }),
});
export type CniStatus = Static<typeof CniStatus>;

/** What the API needs of the CNI plugin. */
export interface CniControl {
  /** Never rejects: a failure is an answer, too. */
  call(call: CniCall): Promise<CniAnswer>;
  status(): CniStatus;
  /** Rejects with `cni-not-installed`, `no-such-network` or `disk-full`. */
  install(installation: CniInstallation): Promise<CniStatus>;
  /** Gives what was removed. */
  uninstall(): Promise<CniStatus>;
}

/** The network plugin of container runtimes. */
export function cniRoutes(app: App, { cni }: { readonly cni: CniControl }): void {
  app.post(
    '/cni',
    {
      bodyLimit: MAX_BODY,
      schema: { summary: 'a call of a container runtime', body: CniCall, response: { 200: CniAnswer } },
    },
    async ({ body }) => cni.call(body),
  );
  const response = { 200: CniStatus };
  app.get('/cni', { schema: { summary: 'the CNI plugin', response } }, async () => cni.status());
  app.put(
    '/cni/installation',
    { schema: { summary: 'put the plugin where runtimes look', body: CniInstallation, response } },
    async ({ body }) => cni.install(body),
  );
  app.delete('/cni/installation', { schema: { summary: 'remove it from there', response } }, async () =>
    cni.uninstall(),
  );
}

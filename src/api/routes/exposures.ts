import Type, { type Static } from 'typebox';
import type { App } from '../app.js';

export const Exposure = Type.Object({
  network: Type.String(),
  address: Type.String({ description: 'of this host on the bridge, such as 10.32.0.1/12' }),
  masquerade: Type.Boolean({ description: 'containers reach the outside with the address of this host' }),
  name: Type.Union([Type.String(), Type.Null()]),
});
export type Exposure = Static<typeof Exposure>;

const Addresses = Type.Array(Type.String(), { maxItems: 256 });
const NetworkName = Type.Optional(Type.String({ maxLength: 64 }));

export const ExposeRequest = Type.Object({
  addresses: Addresses,
  network: NetworkName,
  masquerade: Type.Optional(Type.Boolean({ description: 'default: true' })),
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
});
export type ExposeRequest = Static<typeof ExposeRequest>;

export const HideRequest = Type.Object({ addresses: Addresses, network: NetworkName });
export type HideRequest = Static<typeof HideRequest>;

/** What the API needs to put the host itself on a network. */
export interface ExposureControl {
  list(): readonly Exposure[];
  expose(request: ExposeRequest): Promise<readonly Exposure[]>;
  hide(request: HideRequest): Promise<readonly Exposure[]>;
}

/** The host itself on the networks. */
export function exposuresRoutes(app: App, { exposures }: { readonly exposures: ExposureControl }): void {
  const response = { 200: Type.Array(Exposure) };
  app.get('/exposures', { schema: { summary: "this host's own addresses", response } }, async () => [
    ...exposures.list(),
  ]);
  app.post(
    '/exposures',
    { schema: { summary: 'put this host on a network', body: ExposeRequest, response } },
    async ({ body }) => [...(await exposures.expose(body))],
  );
  app.delete(
    '/exposures',
    { schema: { summary: 'take this host off a network', body: HideRequest, response } },
    async ({ body }) => [...(await exposures.hide(body))],
  );
}

import Type, { type Static } from 'typebox';
import type { App } from '../app.js';

export const NetworkInfo = Type.Object({
  name: Type.String(),
  number: Type.Integer({ description: 'carried in front of each frame' }),
  subnets: Type.Array(Type.String()),
  bridge: Type.Union([Type.String(), Type.Null()], {
    description: 'on this host; null while nothing here is on it',
  }),
  usedBy: Type.Array(Type.String(), { description: 'routers that have containers on it' }),
});
export type NetworkInfo = Static<typeof NetworkInfo>;

export const NetworkCreateRequest = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 64 }),
  subnets: Type.Array(Type.String(), { maxItems: 16, description: 'such as 10.40.0.0/16' }),
});
export type NetworkCreateRequest = Static<typeof NetworkCreateRequest>;

export const NetworkRemoveRequest = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 64 }),
  force: Type.Optional(
    Type.Boolean({ description: 'though another host says that it has containers on it' }),
  ),
});
export type NetworkRemoveRequest = Static<typeof NetworkRemoveRequest>;

/** What the API needs to do with networks. */
export interface NetworkControl {
  list(): readonly NetworkInfo[];
  create(request: NetworkCreateRequest): Promise<NetworkInfo>;
  remove(request: NetworkRemoveRequest): Promise<void>;
}

/** Isolated Ethernet segments. */
export function networksRoutes(app: App, { networks }: { readonly networks: NetworkControl }): void {
  app.get(
    '/networks',
    { schema: { summary: 'networks that all routers know', response: { 200: Type.Array(NetworkInfo) } } },
    async () => [...networks.list()],
  );
  app.post(
    '/networks',
    { schema: { summary: 'make a network', body: NetworkCreateRequest, response: { 200: NetworkInfo } } },
    async ({ body }) => networks.create(body),
  );
  app.delete(
    '/networks',
    {
      schema: {
        summary: 'remove a network on all hosts',
        body: NetworkRemoveRequest,
        response: { 200: Type.Array(NetworkInfo) },
      },
    },
    async ({ body }) => {
      await networks.remove(body);
      return [...networks.list()];
    },
  );
}

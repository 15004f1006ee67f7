import Type, { type Static } from 'typebox';
import type { App } from '../app.js';

export const DockerNetworkStatus = Type.Object({
  id: Type.String({ description: "Docker's id of the network" }),
  name: Type.Union([Type.String(), Type.Null()], {
    description: 'as Docker calls it; null until Docker was asked',
  }),
  network: Type.Union([Type.String(), Type.Null()], { description: 'as weft calls it' }),
  subnets: Type.Array(Type.String()),
  endpoints: Type.Integer({ description: 'containers of this host that are on it' }),
  fault: Type.Union([Type.String(), Type.Null()], { description: 'what is wrong with it' }),
});
export type DockerNetworkStatus = Static<typeof DockerNetworkStatus>;

export const DockerStatus = Type.Object({
  enabled: Type.Boolean({ description: 'also after a restart' }),
  socket: Type.String({ description: 'where Docker finds the plugin' }),
  listening: Type.Boolean(),
  engine: Type.Object({
    socket: Type.Union([Type.String(), Type.Null()], { description: "of Docker's API; null: none is known" }),
    reachable: Type.Boolean(),
  }),
  networks: Type.Array(DockerNetworkStatus),
  ready: Type.Boolean({ description: 'the Docker network `weft` can be used' }),
  faults: Type.Array(Type.String()),
});
export type DockerStatus = Static<typeof DockerStatus>;

export const DockerSwitch = Type.Object({ enabled: Type.Boolean() });
export type DockerSwitch = Static<typeof DockerSwitch>;

/** What the API needs of the Docker network plugin. */
export interface DockerControl {
  status(): Promise<DockerStatus>;
  /** Rejects with `docker-socket-used`, `docker-used`, `disk-full`. */
  setEnabled(enabled: boolean): Promise<DockerStatus>;
}

/** The network plugin of Docker. */
export function dockerRoutes(app: App, { docker }: { readonly docker: DockerControl }): void {
  const response = { 200: DockerStatus };
  app.get('/docker', { schema: { summary: 'the network plugin of Docker', response } }, async () =>
    docker.status(),
  );
  app.put(
    '/docker',
    { schema: { summary: 'serve Docker, or do so no more', body: DockerSwitch, response } },
    async ({ body }) => docker.setEnabled(body.enabled),
  );
}

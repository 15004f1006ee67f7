import swagger from '@fastify/swagger';
import { createApp } from './app.js';
import type { RouterControl } from './control.js';
import { registerRoutes } from './register-routes.js';

/** The OpenAPI document of the routes, made when somebody asks: few do, and each launch would pay for it. */
export async function describeApi(router: RouterControl): Promise<object> {
  const app = createApp();
  await app.register(swagger, {
    openapi: {
      info: { title: 'weft', description: 'One router of a weft network', version: router.version().version },
    },
  });
  await app.register(async (routes) => registerRoutes(routes.withTypeProvider() as typeof app, router));
  await app.ready();
  try {
    return app.swagger();
  } finally {
    await app.close();
  }
}

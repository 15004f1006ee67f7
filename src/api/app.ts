import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, {
  type FastifyBaseLogger,
  type FastifyHttpOptions,
  type FastifyInstance,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify';
import type { TSchema } from 'typebox';
import { validator } from '../validate.js';

/** The HTTP application, with types that follow from the routes' schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

const MAX_BODY = 256 * 1024;

/** What a server may choose of its connections; without: as fastify has it. */
export type ServerLimits = Pick<
  FastifyHttpOptions<RawServerDefault>,
  'connectionTimeout' | 'keepAliveTimeout' | 'requestTimeout' | 'http'
>;

/** An application without routes. Requests are checked against their schemas; answers are typed and need no check. */
export function createApp(limits: ServerLimits = {}): App {
  const app = fastify({ logger: false, bodyLimit: MAX_BODY, forceCloseConnections: true, ...limits });
  app.setValidatorCompiler(({ schema, httpPart }) => {
    const check = validator('bad-request', `the ${httpPart ?? 'request'}`, schema as TSchema);
    return (value: unknown) => {
      try {
        return { value: check(value) };
      } catch (error) {
        return { error: error as Error };
      }
    };
  });
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  return app.withTypeProvider<TypeBoxTypeProvider>();
}

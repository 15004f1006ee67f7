import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { meaningOf } from '../error-codes/index.js';
import { WeftError } from '../errors.js';

/** Every failure as `{code, message}`. What is not a WeftError is a fault of ours: its text stays in the log. */
export function sendError(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  const known = asWeftError(error);
  const { code, message } =
    known ?? new WeftError('internal', 'the router failed to do this, because of a fault in it: see its log');
  void reply.status(meaningOf(code).status).send({ code, message });
}

export function sendNotFound(request: FastifyRequest, reply: FastifyReply): void {
  const message = `there is no ${request.method} ${request.url}: GET /openapi.json tells what there is`;
  void reply.status(404).send({ code: 'no-such-route', message });
}

function asWeftError(error: FastifyError): WeftError | undefined {
  if (error instanceof WeftError) return error;
  const fromClient = error.statusCode !== undefined && error.statusCode < 500;
  return fromClient ? new WeftError('bad-request', error.message) : undefined;
}

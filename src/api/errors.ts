import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { WeftError } from '../errors.js';

const STATUS: Readonly<Record<string, number>> = {
  'bad-request': 400,
  'bad-target': 400,
  'bad-address': 400,
  'bad-cidr': 400,
  'bad-interface-name': 400,
  'bad-name': 400,
  'not-a-namespace': 400,
  'own-namespace': 400,
  'bad-network-name': 400,
  'bad-subnet': 400,
  'no-privilege': 403,
  'no-such-name': 404,
  'no-such-namespace': 404,
  'no-such-target': 404,
  'no-such-peer': 404,
  'not-attached': 404,
  'not-exposed': 404,
  'no-such-container': 404,
  'no-such-network': 404,
  'ambiguous-peer': 409,
  'own-peer': 409,
  'peer-alive': 409,
  'removed-already': 409,
  'rotation-unfinished': 409,
  'no-rotation': 409,
  'password-network': 409,
  'address-used': 409,
  'interface-taken': 409,
  'other-network': 409,
  'container-stopped': 409,
  'network-exists': 409,
  'network-used': 409,
  'too-many-networks': 409,
  stopping: 409,
  'forwarder-lost': 503,
  'no-addresses': 409,
  'no-space': 409,
  cancelled: 409,
  'disk-full': 507,
};

/** Every failure as `{code, message}`. What is not a WeftError is a fault of ours: its text stays in the log. */
export function sendError(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  const known = asWeftError(error);
  const { code, message } =
    known ?? new WeftError('internal', 'the router failed to do this, because of a fault in it: see its log');
  void reply
    .status(known === undefined ? 500 : (STATUS[code] ?? error.statusCode ?? 500))
    .send({ code, message });
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

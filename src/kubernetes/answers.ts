/** What an API server says, as schemas: as much of it as all resources have in common. */
import Type, { type Static } from 'typebox';
import { WeftError } from '../errors.js';
import { loggable } from '../text/index.js';
import { validator } from '../validate.js';
import { HttpRefusal } from './api.js';

/** The API leaves lists out, or gives null, when there is nothing in them. */
export const listOf = <T extends Type.TSchema>(item: T) =>
  Type.Optional(Type.Union([Type.Null(), Type.Array(item)]));

export const parseList = validator(
  'kubernetes-failed',
  'what Kubernetes lists',
  Type.Object({
    metadata: Type.Object({ resourceVersion: Type.String(), continue: Type.Optional(Type.String()) }),
    items: listOf(Type.Unknown()),
  }),
);

const Event = Type.Object({
  type: Type.String(),
  object: Type.Object({
    metadata: Type.Optional(Type.Object({ resourceVersion: Type.Optional(Type.String()) })),
    code: Type.Optional(Type.Integer()),
    message: Type.Optional(Type.String()),
  }),
});
export type Event = Static<typeof Event>;
export const parseEvent = validator('kubernetes-failed', 'what Kubernetes tells of changes', Event);

const parseNamed = validator(
  'kubernetes-failed',
  'what Kubernetes tells',
  Type.Object({
    metadata: Type.Object({
      name: Type.String({ minLength: 1, maxLength: 253 }),
      namespace: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
    }),
  }),
);

/** By which an object is told from others of its kind: `NAMESPACE/NAME`, or its name where it is in no namespace. Throws `kubernetes-failed`. */
export function keyOf(object: unknown): string {
  const { name, namespace } = parseNamed(object).metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** A refusal in words of people: what the server said, and which right is missing. */
export function explained(error: unknown, verbs: string, resource: string, origin: string): unknown {
  if (!(error instanceof HttpRefusal)) return error;
  const what = `${origin} answers ${error.status}: ${loggable(messageIn(error.reason))}`;
  const remedy = `let this service account ${verbs} ${resource} (docs/kubernetes.md)`;
  const text = error.status === 403 ? `${what}; ${remedy}` : what;
  return new WeftError('kubernetes-failed', text, { cause: error });
}

/** Failures are told as an object of kind Status. */
function messageIn(reason: string): string {
  try {
    const status: unknown = JSON.parse(reason);
    if (typeof status === 'object' && status !== null && 'message' in status) return String(status.message);
  } catch {
    // a proxy on the way said it
  }
  return reason.trim();
}

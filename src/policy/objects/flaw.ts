/** What is wrong with an object that somebody wrote, as one sentence about one field. */
import type { TSchema } from 'typebox';
import Schema from 'typebox/schema';

/** As typebox tells a mistake, as far as it matters here. */
interface Mistake {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly params: object;
}

/**
 * Makes a function that says what is wrong with a value: `spec.ingress[0].ports[1].port must be …`, or undefined when it is as the schema says. The schema is
 * compiled at the first use.
 */
export function flawFinder(schema: TSchema): (value: unknown) => string | undefined {
  let compiled: Schema.Validator | undefined;
  return (value) => {
    compiled ??= Schema.Compile(schema);
    if (compiled.Check(value)) return undefined;
    const mistakes: readonly Mistake[] = compiled.Errors(value)[1];
    const [first] = mistakes;
    return first === undefined
      ? 'it does not match its schema'
      : sentence(schema, alternatives(first, mistakes));
  };
}

/** `spec.ingress[0]` of `/spec/ingress/0`. */
export function fieldAt(path: string): string {
  const parts = path.split('/').slice(1);
  return parts
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join('');
}

function sentence(schema: TSchema, { keyword, schemaPath, instancePath, params }: Mistake): string {
  const field = fieldAt(instancePath) || 'the document';
  if (keyword === 'boolean') return `${field} is no field of a NetworkPolicy: correct its spelling`;
  if (keyword === 'required') {
    const [missing = ''] = 'requiredProperties' in params ? texts(params.requiredProperties) : [];
    return `${fieldAt(`${instancePath}/${missing}`)} is missing: it must be ${expected(schema, `${schemaPath}/properties/${missing}`)}`;
  }
  return `${field} must be ${expected(schema, schemaPath)}`;
}

/** Of a value that may be one of several, what all of them are together. */
function alternatives(first: Mistake, mistakes: readonly Mistake[]): Mistake {
  const whole = mistakes.find(
    ({ keyword, schemaPath }) => keyword === 'anyOf' && first.schemaPath.startsWith(`${schemaPath}/anyOf/`),
  );
  return whole ?? first;
}

/** What the schema at a path, `#/properties/spec`, says of itself. */
function expected(schema: TSchema, path: string): string {
  let at: unknown = schema;
  for (const part of path.split('/').slice(1)) at = isObject(at) ? at[part] : undefined;
  return isObject(at) && typeof at.description === 'string' ? at.description : 'something else';
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

import type { Static, TSchema } from 'typebox';
import Schema from 'typebox/schema';
import type { ErrorCode } from './error-codes/index.js';
import { WeftError } from './errors.js';

/**
 * Makes a function that takes a value from outside (a file, a socket, a command's output) and gives it back typed, or throws
 * a WeftError `code` that says which field of `what` is wrong. The schema is compiled at the first use.
 */
export function validator<S extends TSchema>(
  code: ErrorCode,
  what: string,
  schema: S,
): (value: unknown) => Static<S> {
  let compiled: Schema.Validator<S> | undefined;
  return (value) => {
    compiled ??= Schema.Compile(schema);
    if (compiled.Check(value)) return value as Static<S>;
    throw new WeftError(code, `${what} is malformed: ${firstFault(compiled.Errors(value)[1])}`);
  };
}

function firstFault(errors: readonly { instancePath: string; message: string }[]): string {
  const [first] = errors;
  if (first === undefined) return 'it does not match its schema';
  return `${first.instancePath === '' ? 'it' : first.instancePath.slice(1).replaceAll('/', '.')} ${first.message}`;
}

import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { WeftError } from './errors.js';
import { packageRoot } from './version.js';

/**
 * Where a native program of weft is: beside an installed weft, else in the build directory of the repository; or at `chosen`. Throws
 * `program-missing`.
 */
export function nativeProgram(name: string, chosen?: string): string {
  const places =
    chosen !== undefined
      ? [chosen]
      : [`bin/${name}`, `build/native/${name}`].map((place) => join(packageRoot(), place));
  const found = places.find(isExecutable);
  if (found !== undefined) return found;
  throw new WeftError('program-missing', `there is no program at ${places.join(' or ')}: run \`make build\``);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

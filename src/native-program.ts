import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { WeftError } from './errors.js';
import { platformDirectory } from './platform-package.js';
import { packageRoot } from './version.js';

/**
 * Where a native program of weft is: at `chosen`; else beside an installed weft, in the build directory of the repository, or in the npm
 * package for this platform. Throws `program-missing`.
 */
export function nativeProgram(name: string, chosen?: string): string {
  const places = chosen === undefined ? placesOf(name) : [chosen];
  const found = places.find(isExecutable);
  if (found !== undefined) return found;
  throw new WeftError('program-missing', `there is no program at ${places.join(' or ')}: run \`make build\``);
}

function placesOf(name: string): string[] {
  const root = packageRoot();
  const platform = platformDirectory();
  const places = [join(root, 'bin', name), join(root, 'build/native', name)];
  return platform === undefined ? places : [...places, join(platform, 'bin', name)];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

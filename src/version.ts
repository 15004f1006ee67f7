import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What package.json says of this weft. */
export interface Manifest {
  readonly version: string;
  /** Names of the npm packages with native programs, of which npm installs the one that fits. Empty where weft did not come by npm. */
  readonly platformPackages: readonly string[];
}

/** The directory of this weft, with its package.json: the repository, or where it is installed. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error('package.json is missing from this installation of weft');
    directory = parent;
  }
  return directory;
}

let known: Manifest | undefined;

/** What package.json said at the first call: an upgrade puts another file there while we run. Throws where it has no version. */
export function packageManifest(): Manifest {
  known ??= readManifest();
  return known;
}

/** The version of this weft. */
export function weftVersion(): string {
  return packageManifest().version;
}

function readManifest(): Manifest {
  const { version, optionalDependencies = {} }: { version?: string; optionalDependencies?: object } =
    JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
  if (version === undefined) throw new Error('package.json has no version');
  return { version, platformPackages: Object.keys(optionalDependencies) };
}

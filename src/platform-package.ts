/** The native programs of a weft that came by npm: in a package of their own for each platform, of which npm installs the one that fits. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { WeftError } from './errors.js';
import { packageManifest, packageRoot } from './version.js';

const PLATFORM = `linux-${process.arch}`;

/** Where the package for this platform is; undefined where there is none, or where weft did not come by npm. */
export function platformDirectory(): string | undefined {
  const name = platformPackage();
  if (name === undefined) return undefined;
  try {
    return dirname(createRequire(join(packageRoot(), 'package.json')).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/**
 * Throws `program-missing`, with what to do, where weft came by npm and the package for this platform did not. It is asked before anything else is loaded:
 * where the package was left out for want of glibc, the native addon of libsodium would end the process with a stack trace.
 */
export function requirePlatformPackage(): void {
  const { version, platformPackages } = packageManifest();
  if (platformPackages.length === 0 || platformDirectory() !== undefined) return;
  throw new WeftError('program-missing', lackOf(platformPackage(), version));
}

function lackOf(name: string | undefined, version: string): string {
  if (!hasGlibc()) {
    return 'this weft needs the C library glibc, and Node.js here has another one, such as musl: run the container image of weft, or a distribution with glibc';
  }
  if (name === undefined) {
    return `there are no native programs of weft for ${PLATFORM} among its npm packages: build weft from source on this host, with \`make install\``;
  }
  return `${name} is missing, the npm package with weft's native programs for this platform: \`npm install ${name}@${version}\` beside weft; --omit=optional leaves it out`;
}

function platformPackage(): string | undefined {
  return packageManifest().platformPackages.find((name) => name.endsWith(`-${PLATFORM}`));
}

/** Node.js tells with which glibc it runs, if it is one. */
function hasGlibc(): boolean {
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime !== undefined;
}

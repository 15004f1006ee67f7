import { readFileSync } from 'node:fs';

/** The version of this weft, from package.json (two directories above this file, in the repository and installed). */
export function weftVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest)
    return String(manifest.version);
  throw new Error('package.json has no version');
}

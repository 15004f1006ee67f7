import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { systemCode, WeftError } from '../../errors.js';

/** As container engines mount it. */
const READ_ONLY =
  'it is read-only; give the container `--security-opt systempaths=unconfined` (Podman: `--security-opt unmask=ALL`)';

/** The value of a sysctl; undefined where the kernel does not have it. */
export async function sysctl(name: string): Promise<string | undefined> {
  return readFile(`/proc/sys/${name}`, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
}

/** The same, without a wait. */
export function sysctlNow(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Writes a sysctl of our own namespace; one that this kernel does not have is left out (IPv6 may be off). */
export async function setSysctl(name: string, value: string): Promise<void> {
  try {
    await writeFile(`/proc/sys/${name}`, value);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    const why = systemCode(error) === 'EROFS' ? READ_ONLY : String(error);
    throw new WeftError('no-privilege', `/proc/sys/${name} cannot be set to ${value}: ${why}`, {
      cause: error,
    });
  }
}

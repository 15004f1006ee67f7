import { readFile } from 'node:fs/promises';

/** The names of all interfaces of this host. Cheap: asks the kernel, not a command. */
export async function interfaceNames(): Promise<ReadonlySet<string>> {
  const table = await readFile('/proc/self/net/dev', 'utf8');
  return new Set([...table.matchAll(/^\s*([^\s:]+):/gm)].map(([, name = '']) => name));
}

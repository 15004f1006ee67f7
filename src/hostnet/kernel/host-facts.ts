/** What this host offers and forbids, for `weft doctor`. Nothing here changes anything that lasts. */
import { constants } from 'node:fs';
import { access, open, readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { delimiter, join } from 'node:path';
import { messageOf, systemCode } from '../../errors.js';
import { run } from './command.js';

/** From linux/capability.h. */
const CAPABILITIES = { CAP_NET_ADMIN: 12, CAP_SYS_ADMIN: 21 } as const;

export type Capability = keyof typeof CAPABILITIES;

const OLDEST_KERNEL = [5, 12] as const;

/** Major and minor version of the running kernel. */
export function kernelVersion(): readonly [number, number] {
  const [major = 0, minor = 0] = release().split(/[.-]/).map(Number);
  return [major, minor];
}

/** Of this kernel, a shortcoming that nothing makes good, and what to do; undefined where it will do. */
export function kernelFault(): { readonly finding: string; readonly remedy: string } | undefined {
  const [major, minor] = kernelVersion();
  const [oldestMajor, oldestMinor] = OLDEST_KERNEL;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined;
  const finding = `this is Linux ${major}.${minor}, and weft needs Linux ${OLDEST_KERNEL.join('.')} or later`;
  return { finding, remedy: 'upgrade the kernel' };
}

/** Those of the capabilities that weft needs which this process does not have. */
export async function missingCapabilities(): Promise<Capability[]> {
  const status = await readFile('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const names = Object.keys(CAPABILITIES) as Capability[];
  return names.filter((name) => ((effective >> BigInt(CAPABILITIES[name])) & 1n) === 0n);
}

/** Why network namespaces cannot be made and entered, although the capabilities are there; undefined when they can. */
export async function namespaceFault(): Promise<string | undefined> {
  try {
    await run('nsenter', ['--net=/proc/self/ns/net', 'unshare', '--net', 'sh', '-c', ':']);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Why TAP devices cannot be opened; undefined when they can. */
export async function tunFault(): Promise<string | undefined> {
  try {
    await (await open('/dev/net/tun', 'r+')).close();
    return undefined;
  } catch (error) {
    return systemCode(error) ?? String(error);
  }
}

/** Those of the commands that are not on the PATH. */
export async function missingCommands(names: readonly string[]): Promise<string[]> {
  const places = (process.env.PATH ?? '').split(delimiter);
  const found = await Promise.all(
    names.map(async (name) => {
      const tries = await Promise.all(places.map((place) => executable(join(place, name))));
      return tries.includes(true);
    }),
  );
  return names.filter((_, index) => !found[index]);
}

async function executable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
